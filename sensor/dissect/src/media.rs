//! Voice, video, print, messages.

mod head;
pub(crate) mod mqtt;
pub(crate) mod pjl;
pub(crate) mod rtsp;
pub(crate) mod sccp;
pub(crate) mod sip;
