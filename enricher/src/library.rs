//! What identifies a device, as each site has it: the knowledge that the service started with, and the packs that people
//! loaded, laid over it in the order of their names.
//!
//! Many partitions and sites have the same packs, so what has been laid once is shared.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use wardwatch_knowledge::Knowledge;

/// A pack that somebody loaded; the encoding is that of the stored memory.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct Pack {
    /// Of the content.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) sha256: Vec<u8>,
    /// TOML.
    #[prost(string, tag = "2")]
    pub(crate) content: String,
}

/// Packs by name.
pub(crate) type Packs = BTreeMap<String, Pack>;

/// Knowledge with packs laid over it.
#[derive(Debug)]
pub(crate) struct Laid {
    pub(crate) knowledge: Arc<Knowledge>,
    /// Packs that cannot be laid over what is there, and why not.
    pub(crate) unusable: BTreeMap<String, String>,
}

/// What tells equal lists of packs from others: names and digests.
type Titles = Vec<(String, Vec<u8>)>;

/// All knowledge that is in use.
#[derive(Debug)]
pub(crate) struct Library {
    base: Arc<Knowledge>,
    laid: Mutex<HashMap<Titles, Weak<Laid>>>,
}

impl Library {
    pub(crate) fn new(base: Arc<Knowledge>) -> Self {
        Self { base, laid: Mutex::default() }
    }

    /// What holds where nobody loaded anything.
    pub(crate) fn base(&self) -> Arc<Knowledge> {
        Arc::clone(&self.base)
    }

    /// The packs for all sites with a site's own laid over the knowledge: of the same name, the site's own. One that cannot
    /// be used is left out.
    pub(crate) fn lay(&self, of_all: &Packs, of_site: &Packs) -> Arc<Laid> {
        let packs: BTreeMap<&str, &Pack> =
            of_all.iter().chain(of_site).map(|(name, pack)| (name.as_str(), pack)).collect();
        let titles: Titles =
            packs.iter().map(|(name, pack)| ((*name).to_owned(), pack.sha256.clone())).collect();
        let mut shelf = self.laid.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(laid) = shelf.get(&titles).and_then(Weak::upgrade) {
            return laid;
        }
        let mut laid = Laid { knowledge: self.base(), unusable: BTreeMap::new() };
        for (name, pack) in packs {
            match laid.knowledge.over(name, &pack.content) {
                Ok(knowledge) => laid.knowledge = Arc::new(knowledge),
                Err(error) => {
                    laid.unusable.insert(name.to_owned(), error.to_string());
                }
            }
        }
        let laid = Arc::new(laid);
        shelf.retain(|_, laid| laid.strong_count() > 0);
        shelf.insert(titles, Arc::downgrade(&laid));
        laid
    }
}
