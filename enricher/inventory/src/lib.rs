//! Which device is this: identity, resolution of attributes, score.

#![forbid(unsafe_code)]
