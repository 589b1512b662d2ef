//! What the inventory must conclude from hand-written facts.

mod addresses;
mod attributes;
mod decisions;
mod findings;
mod hostile;
mod joined;
mod laws;
mod nested;
mod profile;
mod signatures;
mod ward;
