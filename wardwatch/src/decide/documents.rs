//! Documents of manufacturers: attached to a product in as many parts as they need, and withdrawn. An attachment that was
//! interrupted is shown as not whole; attaching the same file again completes it.

use std::io::Write as _;

use anyhow::Context as _;
use wardwatch_proto::document::{check, parts};
use wardwatch_proto::v1::command::Action;
use wardwatch_proto::v1::{AttachDocument, WithdrawDocument};
use wardwatch_store::quote;

use super::Deciding;
use super::session::{Session, with_session};
use crate::read;
use crate::table::text;

/// Attaches a document, whose parts and numbers are filled in here; `losses` is what was left out of the file, in lines.
pub(crate) async fn attach(deciding: &Deciding, whole: AttachDocument, losses: &str) -> anyhow::Result<()> {
    if !losses.is_empty() {
        // Beside the receipt, which may be for a machine; who does not read it loses nothing.
        let _ = writeln!(std::io::stderr(), "{losses}");
    }
    let AttachDocument { format, manufacturer, model, version, document, .. } = &whole;
    let entries = whole.components.len() + whole.answers.len();
    let what = if whole.kind == "sbom" { "components" } else { "answers" };
    let of = if version.is_empty() { String::new() } else { format!(", version {version}") };
    let said = format!(
        "{format} with {entries} {what} is attached to {manufacturer} {model}{of}{}, document {document}",
        whither(deciding)
    );
    let parts = parts(AttachDocument { note: deciding.note.clone(), ..whole })
        .context("the document cannot be sent in parts")?;
    for part in &parts {
        check(part).with_context(|| format!("part {} of the document cannot be sent", part.part + 1))?;
    }
    let actions = parts.into_iter().map(Action::AttachDocument).collect();
    let site = deciding.sending.site.clone().unwrap_or_default();
    with_session(&deciding.sending, async |session| session.submit_all(&site, actions, &said).await).await
}

/// Withdraws the document of this id, or of one that begins like this.
pub(crate) async fn withdraw(deciding: &Deciding, wanted: &str) -> anyhow::Result<()> {
    with_session(&deciding.sending, async |session| {
        let (site, document, called) = session.document(wanted).await?;
        let said = format!("{called} is withdrawn, document {document}");
        let wanted = WithdrawDocument { document, note: deciding.note.clone() };
        session.submit_all(&site, vec![Action::WithdrawDocument(wanted)], &said).await
    })
    .await
}

impl Session<'_> {
    /// The site, the id and the name of a document.
    async fn document(&self, wanted: &str) -> anyhow::Result<(String, String, String)> {
        let site = self.sending.site.clone();
        let Some(database) = &self.database else {
            return Ok((site.unwrap_or_default(), wanted.to_lowercase(), wanted.to_owned()));
        };
        let at_site = site.map(|site| format!("AND site = {}", quote(&site))).unwrap_or_default();
        let row = read::find_document(database, wanted, &at_site).await?;
        let called = ["format", "manufacturer", "model", "model_version"].map(|field| text(&row, field));
        Ok((text(&row, "site"), text(&row, "document"), called.join(" ").trim().to_owned()))
    }
}

fn whither(deciding: &Deciding) -> String {
    deciding
        .sending
        .site
        .as_ref()
        .map_or_else(|| " at all sites".to_owned(), |site| format!(" at site {site}"))
}
