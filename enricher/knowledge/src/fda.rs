//! The FDA's product classification: class, regulation and name of each product code.
//!
//! The taxonomy and the families of models name the codes that fit, with their classes as of the release. A hospital that wants
//! them as of today makes a pack of the FDA's table ([`table`]); its classes go before those that stand with the types,
//! and a code that a person gave a device gets its class by it.

use std::collections::BTreeMap;

use crate::clinical::FdaClass;
use crate::error::KnowledgeError;
use crate::pack::Entry;

pub mod table;

/// Codes of all packs together; there are 17,576 of three letters.
const MOST_CODES: usize = 20_000;
/// The longest name, in octets.
const LONGEST_NAME: usize = 256;

/// What the FDA says of a product code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// The class of devices with this code.
    pub class: FdaClass,
    /// The section of title 21 of the Code of Federal Regulations, such as `892.1750`; empty where there is none.
    pub regulation: String,
    /// The FDA's name for the product.
    pub name: String,
}

/// An entry of a pack: class, regulation, name.
pub(crate) type RawProduct = (FdaClass, String, String);

/// The products of a pack, by code.
#[derive(Clone, Debug, Default)]
pub(crate) struct Products {
    by_code: BTreeMap<String, Product>,
}

impl Products {
    /// A code that was there before is replaced.
    pub(crate) fn add(&mut self, entry: Entry<BTreeMap<String, RawProduct>>) -> Result<(), KnowledgeError> {
        let Entry { place, value: products } = entry;
        for (code, (class, regulation, name)) in products {
            if !is_code(&code) {
                return Err(place.wrong(code, "a product code has three capital letters"));
            }
            if !is_regulation(&regulation) {
                return Err(place.wrong(code, format!("{regulation:?} is no section such as 892.1750")));
            }
            if name.len() > LONGEST_NAME || name.contains(char::is_control) {
                let problem = format!("a name has at most {LONGEST_NAME} octets and no control characters");
                return Err(place.wrong(code, problem));
            }
            if self.by_code.len() >= MOST_CODES && !self.by_code.contains_key(&code) {
                return Err(place.wrong(code, format!("there are {MOST_CODES} codes already")));
            }
            self.by_code.insert(code, Product { class, regulation, name });
        }
        Ok(())
    }

    pub(crate) fn get(&self, code: &str) -> Option<&Product> {
        self.by_code.get(code)
    }
}

pub(crate) fn is_code(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// A part and a section of 21 CFR, or nothing.
fn is_regulation(text: &str) -> bool {
    let is_number =
        |part: &str| (1..=5).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    text.is_empty()
        || text.split_once('.').is_some_and(|(part, section)| is_number(part) && is_number(section))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Knowledge;

    #[test]
    fn a_pack_says_what_a_code_is_and_what_is_wrong_names_it() {
        let knowledge = Knowledge::builtin().expect("the built-in pack is sound");
        let over =
            |products: &str| knowledge.over("fda", &format!("version = \"1\"\n[fda_products]\n{products}"));
        let ours = over("JAK = [\"3\", \"892.1750\", \"System, X-Ray\"]").expect("a sound pack");
        let product = ours.fda_product("JAK").expect("it was given");
        assert_eq!((product.class, product.regulation.as_str()), (FdaClass::Three, "892.1750"));
        assert_eq!(knowledge.fda_product("JAK"), None, "no table is built in");
        for wrong in [
            "jak = [\"2\", \"\", \"x\"]",
            "JAK = [\"2\", \"892\", \"x\"]",
            "JAK = [\"2\", \"892.1750\", \"a\\u0007b\"]",
            "JAK = [\"4\", \"892.1750\", \"x\"]",
            "JAK = [\"2\", \"892.1750\"]",
        ] {
            let told = over(wrong).expect_err(wrong).to_string();
            let code = wrong.get(..3).unwrap_or_default();
            assert!(told.contains("fda_products") && told.contains(code), "{told}");
        }
    }
}
