//! End-to-end tests, the engines they run on, and the recorder.

#![forbid(unsafe_code)]
