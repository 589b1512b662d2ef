//! Compiles the contracts with protox, so that no protoc is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files = ["facts", "ingest", "log", "events", "alerts", "control"]
        .map(|name| format!("wardwatch/v1/{name}.proto"));
    for file in &files {
        println!("cargo::rerun-if-changed={file}");
    }
    let descriptors = protox::compile(&files, ["."])?;
    tonic_prost_build::configure()
        .client_mod_attribute(".", "#[cfg(feature = \"grpc\")]")
        .server_mod_attribute(".", "#[cfg(feature = \"grpc\")]")
        .bytes(".wardwatch.v1.Submission.batch")
        .compile_fds(descriptors)?;
    Ok(())
}
