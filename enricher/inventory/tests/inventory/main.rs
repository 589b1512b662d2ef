//! What the inventory must conclude from hand-written facts.

mod addresses;
mod attachment;
mod attributes;
mod clinical;
mod decisions;
mod findings;
mod hostile;
mod imports;
mod joined;
mod laws;
mod nested;
mod profile;
mod retirement;
mod signatures;
mod ward;
