//! The configuration that an engine is started with: one small node, on loopback, for one program.
//!
//! - `async_insert` is off: an insert that has returned is stored, which the pipeline's acknowledgements rest on.
//! - No `system.*_log` tables are configured, so there are none: they would grow in directories that people keep.
//! - Merges get two threads, memory half of the machine: the engine shares it with everything else.

use std::fmt::Write as _;
use std::path::Path;

/// The share of the machine's memory that the server may use.
const MEMORY_RATIO: f64 = 0.5;
/// Threads for merges and mutations.
const MERGE_THREADS: u32 = 2;
/// Bytes of marks of the primary index kept in memory.
const MARK_CACHE: u64 = 128 << 20;

/// What a configuration says that is not the same for every engine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Config<'a> {
    pub(crate) data: &'a Path,
    pub(crate) http_port: u16,
    pub(crate) tcp_port: u16,
    /// Tells this start of this engine from every other server: the macro `engine`.
    pub(crate) instance: &'a str,
    pub(crate) password: Option<&'a str>,
}

impl Config<'_> {
    /// `config.xml`: the server.
    pub(crate) fn server(&self) -> String {
        let data = escape(&self.data.display().to_string());
        format!(
            "<clickhouse>
  <logger>
    <level>information</level>
    <log>{data}/clickhouse.log</log>
    <size>10M</size>
    <count>3</count>
  </logger>
  <path>{data}/server/</path>
  <tmp_path>{data}/server/tmp/</tmp_path>
  <user_files_path>{data}/server/user_files/</user_files_path>
  <format_schema_path>{data}/server/format_schemas/</format_schema_path>
  <users_config>{data}/users.xml</users_config>
  <default_profile>default</default_profile>
  <timezone>UTC</timezone>
  <listen_host>127.0.0.1</listen_host>
  <http_port>{http}</http_port>
  <tcp_port>{tcp}</tcp_port>
  <macros><engine>{instance}</engine></macros>
  <mlock_executable>false</mlock_executable>
  <max_server_memory_usage_to_ram_ratio>{MEMORY_RATIO}</max_server_memory_usage_to_ram_ratio>
  <mark_cache_size>{MARK_CACHE}</mark_cache_size>
  <background_pool_size>{MERGE_THREADS}</background_pool_size>
  <background_schedule_pool_size>8</background_schedule_pool_size>
  <merge_tree>
    <number_of_free_entries_in_pool_to_execute_mutation>{MERGE_THREADS}</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>{MERGE_THREADS}</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>{MERGE_THREADS}</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
  </merge_tree>
</clickhouse>
",
            http = self.http_port,
            tcp = self.tcp_port,
            instance = escape(self.instance),
        )
    }

    /// Who may ask, from loopback only.
    ///
    /// The statements that the library itself runs come as `default` without a password, and nothing but the address
    /// tells them from anybody else's on this machine. Where a password is wanted, `default` may do what those
    /// statements do, and read nothing.
    fn users_and_rights(&self) -> String {
        let user = |name: &str, password: &str, rights: &str| {
            format!(
                "    <{name}>
      <password>{}</password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
{rights}    </{name}>
",
                escape(password)
            )
        };
        let listen = "      <grants><query>GRANT SYSTEM LISTEN ON *.*</query><query>GRANT SELECT ON system.numbers</query></grants>\n";
        match self.password {
            None => user("default", "", ""),
            Some(password) => user("default", "", listen) + &user("wardwatch", password, ""),
        }
    }

    /// `users.xml`: the settings profile, and who may ask.
    pub(crate) fn users(&self) -> String {
        format!(
            "<clickhouse>
  <profiles>
    <default>
      <async_insert>0</async_insert>
      <log_queries>0</log_queries>
    </default>
  </profiles>
  <users>
{}  </users>
  <quotas><default/></quotas>
</clickhouse>
",
            self.users_and_rights()
        )
    }
}

/// The user that a client asks as.
pub(crate) fn user(password: Option<&str>) -> &'static str {
    if password.is_some() { "wardwatch" } else { "default" }
}

/// Text as it may stand in an XML element.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            control if control.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "&#{};", u32::from(control));
            }
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_choose_cannot_break_the_xml() {
        let config = Config {
            data: Path::new("/srv/a & b <c>"),
            http_port: 1,
            tcp_port: 2,
            instance: "i",
            password: Some("</password><x>\"&\n"),
        };
        assert!(config.server().contains("<path>/srv/a &amp; b &lt;c&gt;/server/</path>"));
        assert!(config.users().contains("<password>&lt;/password&gt;&lt;x&gt;&quot;&amp;&#10;</password>"));
    }
}
