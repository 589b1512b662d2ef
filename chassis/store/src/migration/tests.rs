//! What can be said about the files without a server; the rest is in `tests/`.

use super::*;

#[test]
fn the_files_are_numbered_without_gaps_and_each_can_be_split() {
    for (expected, migration) in (1..).zip(ALL) {
        assert_eq!(migration.number, expected, "{}", migration.name);
        let statements = statements::split(migration.sql).expect("a readable file");
        assert!(!statements.is_empty(), "{}", migration.name);
        for statement in statements {
            let idempotent = statement.starts_with("CREATE TABLE IF NOT EXISTS")
                || statement.starts_with("CREATE OR REPLACE VIEW")
                || (statement.starts_with("ALTER TABLE") && is_repeatable(&statement));
            assert!(idempotent, "{}: {statement}", migration.name);
        }
    }
}

/// Whether an alteration does nothing the second time.
fn is_repeatable(alteration: &str) -> bool {
    let added = alteration.matches(" ADD COLUMN ").count();
    alteration.contains(" MODIFY SETTING ")
        || (added > 0 && added == alteration.matches(" ADD COLUMN IF NOT EXISTS ").count())
}

#[test]
fn an_edited_file_is_named() {
    let file = Migration { number: 7, name: "gateways", sql: "SELECT 1" };
    let ledger = [Applied { number: 7, name: "gateways".into(), checksum: "of another text".into() }];
    let error = check_against(&[file], &ledger).expect_err("an edited file");
    assert!(error.to_string().contains("0007_gateways"), "{error}");
}

#[test]
fn numbers_must_rise() {
    let file = |number| Migration { number, name: "x", sql: "SELECT 1" };
    assert!(in_order(&[file(1), file(2)]).is_ok());
    assert!(matches!(in_order(&[file(2), file(2)]), Err(Error::MigrationOrder { .. })));
}
