//! Which kind of device behaves like this: models that are learned from captures whose devices are known, and that a
//! pack holds as data.
//!
//! - [`Habits`]: what is kept of one device's first minutes, from facts alone, in bounded memory
//! - [`Features`]: the same as statements that hold or do not, such as `sends dns/udp to site :53 33 octets`
//! - [`Behaviour`]: how often each kind of device showed each feature; what a device is like, and why
//! - [`learn`]: from labelled [`Example`]s to a model
//!
//! A model is a table of counts, so a person can read and check it. It is held against a device as naive Bayes over
//! features that are there or not (Bernoulli). A device that fits none of the kinds is none of them: see
//! [`Behaviour::classify`]. What it says is a guess of at most [`MOST_CONFIDENT`] percent.
//!
//! The MAC address is never a feature: it says which facts are the device's, and is taken out of what the device says.

mod features;
mod habits;
mod kind;
mod learn;
mod model;
mod said;
mod stored;
mod table;

pub use features::Features;
pub use habits::{Habits, Ignored, MOST_FLOWS, WINDOW};
pub use learn::{Example, LearnError, learn};
pub use model::{Behaviour, Likeness, MOST_CONFIDENT, Spoke};
pub use said::Names;
pub(crate) use stored::RawBehaviour;

/// The wording of features. A model says which one it was learned with; another would match nothing.
const WORDING: u32 = 1;
