//! What a broker for tests is told.

use std::path::Path;
use std::{fs, io};

/// A node's folder and ports, on 127.0.0.1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Configuration<'a> {
    pub(super) folder: &'a Path,
    pub(super) port: u16,
    pub(super) controller_port: u16,
}

impl Configuration<'_> {
    /// Writes `server.properties` and `log4j2.properties` into the folder.
    pub(super) fn write(self) -> io::Result<()> {
        fs::write(self.folder.join("server.properties"), self.server())?;
        fs::write(self.folder.join("log4j2.properties"), self.logging())
    }

    /// One node for everything; topics are made on purpose; groups form at once, since tests wait for them; members
    /// may be given up after six seconds, and a killed broker can come back after three.
    fn server(self) -> String {
        let Self { folder, port, controller_port } = self;
        format!(
            "process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={folder}/data
auto.create.topics.enable=false
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=6000
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
num.network.threads=2
num.io.threads=4
background.threads=2
log.cleaner.dedupe.buffer.size=4194304
",
            folder = folder.display()
        )
    }

    fn logging(self) -> String {
        format!(
            "status = error
appender.file.type = File
appender.file.name = file
appender.file.fileName = {folder}/broker.log
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d %p %c{{1}} %m%n
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
",
            folder = self.folder.display()
        )
    }
}
