//! Databases: users, passwords, names of programs and tables, statements, results and complaints carry canaries ([MS-TDS];
//! MySQL: Client/Server Protocol).

use wardwatch_proto::v1::Attribute;

use super::{BREAKERS, CanaryStream, Mint, Transport, Turn, from_initiator, from_responder, utf16};

pub(super) fn streams() -> Vec<CanaryStream> {
    let mut streams = vec![tds_joined()];
    for is_refused in [true, false] {
        streams.extend([tds(is_refused, None), mysql(is_refused, MYSQL, None)]);
    }
    streams.push(mysql(true, MARIADB, None));
    for shape in BREAKERS {
        streams.push(tds(true, Some(shape)));
        streams.extend([MYSQL, MARIADB].map(|server| mysql(true, server, Some(shape))));
    }
    streams
}

fn stream(name: &str, mint: Mint, turns: Vec<Turn>, expected: &[(Attribute, &str)]) -> CanaryStream {
    let expected = expected.iter().map(|(attribute, value)| (*attribute, (*value).to_owned())).collect();
    let (name, canaries) = (name.to_owned(), mint.canaries);
    CanaryStream { name, transport: Transport::Tcp, port: 9999, turns, canaries, expected }
}

/// A packet of TDS ([MS-TDS], 2.2.3.1).
fn packet(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 1][..], &(content.len() as u16 + 8).to_be_bytes(), &[0, 0, 1, 0], content].concat()
}

/// What both begin with (2.2.6.5): version, encryption, the instance's name, thread, and an activity's number.
fn prelogin(mint: &mut Mint, version: [u8; 6]) -> Vec<u8> {
    let [instance, activity] = [format!("{}\0", mint.token()), format!("{:36}", mint.token())];
    let options: [(u8, &[u8]); 5] =
        [(0, &version), (1, &[2]), (2, instance.as_bytes()), (3, &[0; 4]), (5, activity.as_bytes())];
    let mut offset = options.len() as u16 * 5 + 1;
    let (mut head, mut values) = (Vec::new(), Vec::new());
    for (option, value) in options {
        let length = value.len() as u16;
        head.extend([&[option][..], &offset.to_be_bytes(), &length.to_be_bytes()].concat());
        values.extend(value);
        offset += length;
    }
    [head, vec![0xFF], values].concat()
}

/// A log-in (2.2.6.4), of which the host's name is listed. User, password, program, server, library, language, database, the
/// client's hardware, a token, a file and a new password are not.
fn login7(mint: &mut Mint, host: &str) -> Vec<u8> {
    let secret =
        |text: &str| utf16(text).iter().map(|octet| octet.rotate_left(4) ^ 0xA5).collect::<Vec<u8>>();
    let mut texts = vec![utf16(host), utf16(&mint.token()), secret(&mint.token())];
    texts.extend((0..8).map(|_| utf16(&mint.token())));
    texts.push(secret(&mint.token()));
    mint.canaries.push("CNRYQZ".to_owned());
    let (mut places, mut offset) = (Vec::new(), 94_u16);
    for (index, text) in texts.iter().enumerate() {
        if index == 9 {
            places.extend(b"CNRYQZ");
        }
        places.extend([offset.to_le_bytes(), (text.len() as u16 / 2).to_le_bytes()].concat());
        offset += text.len() as u16;
    }
    let fixed = [&u32::from(offset).to_le_bytes()[..], &[4, 0, 0, 0x74], &[0; 28], &places, &[0; 4]].concat();
    [fixed, texts.concat()].concat()
}

/// A text behind its number of characters, in one octet or two.
fn counted(octets: usize, text: &str) -> Vec<u8> {
    let count = (text.len() as u16).to_le_bytes();
    [count.get(..octets).unwrap_or_default(), &utf16(text)].concat()
}

fn token(kind: u8, content: &[Vec<u8>]) -> Vec<u8> {
    let content = content.concat();
    [&[kind][..], &(content.len() as u16).to_le_bytes(), &content].concat()
}

/// An error (2.2.7.10) or a message (2.2.7.13): number, text, server, procedure.
fn complaint(mint: &mut Mint, kind: u8, number: u32) -> Vec<u8> {
    let [text, server, procedure] = [mint.token(), mint.token(), mint.token()];
    let texts = [counted(2, &text), counted(1, &server), counted(1, &procedure)].concat();
    token(kind, &[number.to_le_bytes().to_vec(), vec![1, 14], texts, vec![1, 0, 0, 0]])
}

/// The server changes to a database, greets, and accepts the log-in (2.2.7.9, 2.2.7.14).
fn accepted(mint: &mut Mint) -> Vec<u8> {
    let changed = token(0xE3, &[vec![1], counted(1, &mint.token()), counted(1, &mint.token())]);
    let greets = complaint(mint, 0xAB, 5701);
    let accepts = token(0xAD, &[vec![1, 0x74, 0, 0, 4], counted(1, &mint.token()), vec![15, 0, 7, 0xD0]]);
    [changed, greets, accepts].concat()
}

/// A batch and a call of a procedure, behind the header of a transaction (2.2.5.3), and a table (2.2.7.4, 2.2.7.19).
fn work(mint: &mut Mint) -> Vec<Turn> {
    let headers = [&[22, 0, 0, 0, 18, 0, 0, 0, 2, 0][..], &[0; 8], &[1, 0, 0, 0]].concat();
    let batch = utf16(&format!("select {} from patients where name = '{}'", mint.token(), mint.token()));
    let call = [counted(2, &mint.token()), vec![0, 0], counted(1, &mint.token())].concat();
    let column =
        [&[0x81, 1, 0, 0, 0, 0, 0, 0, 0, 0xE7, 0x40, 0, 9, 4, 0, 0, 0][..], &counted(1, &mint.token())]
            .concat();
    let name = utf16(&mint.token());
    let row = [&[0xD1, name.len() as u8, 0][..], &name, mint.token().as_bytes()].concat();
    vec![
        from_initiator(packet(1, &[headers.clone(), batch].concat())),
        from_responder(packet(4, &[column, row].concat())),
        from_initiator(packet(3, &[headers, call].concat())),
        from_responder(packet(4, &complaint(mint, 0xAA, 2627))),
    ]
}

fn tds(is_refused: bool, broken: Option<&str>) -> CanaryStream {
    let mut mint = Mint::default();
    let host = broken.map_or_else(|| "LAB-PC9".to_owned(), |shape| mint.broken(shape));
    let answer = if is_refused { complaint(&mut mint, 0xAA, 18_456) } else { accepted(&mut mint) };
    let mut turns = vec![
        from_initiator(packet(0x12, &prelogin(&mut mint, [9, 0, 0, 0, 0, 0]))),
        from_responder(packet(4, &prelogin(&mut mint, [15, 0, 7, 0xD0, 0, 0]))),
        from_initiator(packet(0x10, &login7(&mut mint, &host))),
        from_responder(packet(4, &answer)),
    ];
    turns.extend(work(&mut mint));
    let mut expected = vec![
        (Attribute::Role, "mssql-client"),
        (Attribute::Role, "mssql-server"),
        (Attribute::SoftwareName, "Microsoft SQL Server"),
        (Attribute::SoftwareVersion, "15.0.2000"),
        (Attribute::CleartextCredential, "mssql"),
    ];
    if is_refused {
        expected.push((Attribute::FailedLogin, "mssql"));
    }
    if broken.is_none() {
        expected.push((Attribute::HostName, "lab-pc9"));
    }
    let name = format!("tds, refused: {is_refused}, host broken: {broken:?}");
    stream(&name, mint, turns, &expected)
}

fn tds_joined() -> CanaryStream {
    let mut mint = Mint::default();
    let turns = work(&mut mint);
    stream("tds joined", mint, turns, &[(Attribute::Role, "mssql-client")])
}

/// A version as it is stated, what follows behind it and behind what is broken, and the product.
type Server = (&'static str, &'static str, &'static str);
const MYSQL: Server = ("8.0.35", "", "MySQL");
const MARIADB: Server = ("10.3.38", "-MariaDB-1", "MariaDB");

/// A packet of MySQL: length and number.
fn numbered(number: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let [low, middle, high, _] = (content.len() as u32).to_le_bytes();
    [&[low, middle, high, number], &content[..]].concat()
}

/// A greeting (HandshakeV10), of which the version is listed; a log-in (HandshakeResponse41) with user, proof, database,
/// method and the client's attributes; another method (AuthSwitchRequest), whose answer is a password in clear; statements
/// and a table.
fn mysql(is_refused: bool, server: Server, broken: Option<&str>) -> CanaryStream {
    let mut mint = Mint::default();
    let (version, behind, product) = server;
    let part = broken.map_or_else(String::new, |shape| format!("-{}", mint.broken(shape)));
    let shown = format!("{version}{part}{behind}\0");
    let mut text = |shape: &str| shape.replace("{}", &mint.token()).into_bytes();
    let fixed =
        [&[42, 0, 0, 0][..], b"saltsalt", &[0, 0xFF, 0xF7, 45, 2, 0, 0xFF, 0x81, 21], &[0; 10]].concat();
    let greeting = numbered(0, &[&[10], shown.as_bytes(), &fixed, &text("{}\0"), &text("{}\0")]);
    let log_in = numbered(
        1,
        &[
            &[0x8D, 0xA6, 0xFF, 1, 0, 0, 0, 1, 45],
            &[0; 23],
            &text("{}\0"),
            &text("\r{}"),
            &text("{}\0"),
            &text("{}\0"),
            &text("\u{1c}\r{}"),
            &text("\r{}"),
        ],
    );
    let outcome = if is_refused {
        numbered(4, &[&[0xFF, 0x15, 4], &text("#28000Access denied for user '{}'@'{}'")])
    } else {
        numbered(4, &[&[0, 0, 0, 2, 0, 0, 0], &text("{}")])
    };
    let column: Vec<u8> = (0..6).flat_map(|_| text("\r{}")).collect();
    let turns = vec![
        from_responder(greeting),
        from_initiator(log_in),
        from_responder(numbered(2, &[&[0xFE], &text("{}\0"), &text("{}\0")])),
        from_initiator(numbered(3, &[&text("{}\0")])),
        from_responder(outcome),
        from_initiator(numbered(0, &[&[2], &text("{}")])),
        from_initiator(numbered(0, &[&[3], &text("select '{}' from `{}`")])),
        from_responder(
            [numbered(1, &[&[1]]), numbered(2, &[&column]), numbered(3, &[&text("\r{}")])].concat(),
        ),
        from_responder(numbered(4, &[&[0xFF, 0x7A, 4], &text("#42S02Table '{}' is missing")])),
    ];
    let mut expected = vec![
        (Attribute::Role, "mysql-server"),
        (Attribute::Role, "mysql-client"),
        (Attribute::SoftwareName, product),
    ];
    if broken.is_none() {
        expected.push((Attribute::SoftwareVersion, version));
    }
    if is_refused {
        expected.push((Attribute::FailedLogin, "mysql"));
    }
    let name = format!("mysql as {product}, refused: {is_refused}, version broken: {broken:?}");
    stream(&name, mint, turns, &expected)
}
