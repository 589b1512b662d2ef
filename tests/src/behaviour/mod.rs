//! How well devices are told by their behaviour, on captures whose devices are known.
//!
//! - [`archive`]: a `.tar.zst` of captures with a table of labels, through the sensor to habits
//! - [`answers`]: what a model said, counted
//! - [`trial`]: what is learned from which captures and held against which

pub mod answers;
pub mod archive;
pub mod trial;
