//! PROFINET (IEC 61158-6-10): discovery and configuration on the link, context management over UDP.

pub(crate) mod context;
pub(crate) mod dcp;
