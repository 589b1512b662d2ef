//! Voice, video, print, messages.

mod head;
pub(crate) mod sip;
