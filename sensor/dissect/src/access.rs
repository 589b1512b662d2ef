//! Access: log-ins, directories, files.

mod banner;
mod ber;
pub(crate) mod ftp;
pub(crate) mod kerberos;
pub(crate) mod ldap;
pub(crate) mod mysql;
pub(crate) mod ntlm;
pub(crate) mod rdp;
pub(crate) mod smb;
pub(crate) mod ssh;
pub(crate) mod tds;
pub(crate) mod telnet;
pub(crate) mod vnc;
