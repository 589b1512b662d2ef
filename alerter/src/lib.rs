//! The alerter: judges events against what is known.

#![forbid(unsafe_code)]
