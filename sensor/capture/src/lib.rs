//! Where packets come from: capture files and network interfaces.
