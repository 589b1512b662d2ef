//! HTTP/1.0 and 1.1 (RFC 9110, 9112; RFC 1945), on any port.
//!
//! Header fields that name software and hosts are stated, that credentials were sent in clear and that they were
//! refused; never what was asked for. Bodies are skipped unseen, but for the names of a form's fields, the first octets
//! of what may be an executable, and the documents in which devices describe themselves, which `content` reads. A flow
//! may be joined in the middle, and goes on behind a hole, at the next start line. What a connection becomes by an
//! upgrade is its protocol from then on.

mod body;
mod content;
mod fields;
mod form;
mod framing;
mod start_line;

use std::collections::VecDeque;

use httparse::{EMPTY_HEADER, ParserConfig, Request, Response, Status};
use wardwatch_proto::v1::Protocol;

use crate::{Candidate, Direction, Dissector, Facts, Input, Probe, Progress};
use body::Extent;
use content::{Described, Wanted};
use fields::Fields;
use framing::Body;
use start_line::Sought;

/// HTTP on TCP.
pub(crate) const CANDIDATE: Candidate =
    Candidate { protocol: Protocol::Http, probe: start_line::probe, start: || Box::new(Http::default()) };

/// Longest block of start line and header fields.
const LONGEST_HEAD: usize = 64 * 1024;

/// Header fields of one message.
const MOST_FIELDS: usize = 128;

/// Longest line before a chunk, and longest trailer line.
const LONGEST_CHUNK_LINE: usize = 4096;

/// Requests whose answers are awaited; when only one direction is captured they never come.
const MOST_AWAITED: usize = 64;

/// Bytes of one direction that are searched for a start line before the flow is given up.
const LONGEST_SEARCH: usize = 1024 * 1024;

#[derive(Default)]
struct Http {
    sides: [Reading; 2],
    /// Requests without an answer yet, oldest first.
    awaited: VecDeque<Asked>,
    /// What the connection became.
    upgraded: Option<Protocol>,
}

/// Where one direction stands.
#[derive(Clone, Copy, Debug, Default)]
enum Reading {
    /// A message begins here.
    #[default]
    Head,
    /// A message begins somewhere; this many bytes were searched.
    Search(usize),
    /// A form of this length begins here.
    Form(u64),
    /// A body begins here that is looked at.
    Content(Described),
    /// A chunk's line begins here.
    Chunk,
    /// The lines behind the last chunk.
    Trailer,
}

/// What matters of a request for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asked {
    method: Method,
    /// It showed credentials.
    has_credentials: bool,
}

/// What matters of a method for the answer's length (RFC 9112, 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Head,
    Connect,
    Other,
}

impl Dissector for Http {
    fn protocol(&self) -> Protocol {
        self.upgraded.unwrap_or(Protocol::Http)
    }

    fn dissect(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        match *self.side(input.direction) {
            Reading::Head => self.head(input, facts),
            Reading::Search(searched) => self.search(input, searched, facts),
            Reading::Form(length) => self.form(input, length, facts),
            Reading::Content(described) => self.content(input, described, facts),
            Reading::Chunk => self.chunk(input),
            Reading::Trailer => self.trailer(input),
        }
    }

    fn gap(&mut self, direction: Direction, _missing: u64) -> bool {
        *self.side(direction) = Reading::Search(0);
        // Which answer belongs to which request is not known any more.
        self.awaited.clear();
        true
    }
}

impl Http {
    fn side(&mut self, direction: Direction) -> &mut Reading {
        let [initiator, responder] = &mut self.sides;
        match direction {
            Direction::FromInitiator => initiator,
            Direction::FromResponder => responder,
        }
    }

    fn head(&mut self, input: &Input<'_>, facts: &mut Facts<'_>) -> Progress {
        // Empty lines before a request are ignored (RFC 9112, 2.2).
        let blank = input.bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        if blank > 0 {
            return Progress::Consumed(blank);
        }
        if start_line::look(input.bytes) == Probe::NotForUs {
            return self.search(input, 0, facts);
        }
        let Some(head) = framing::head(input.bytes) else {
            let too_long = input.bytes.len() > LONGEST_HEAD;
            return if too_long {
                Progress::Broken("header block longer than 64 KiB")
            } else {
                Progress::NeedMore
            };
        };
        let body =
            if head.starts_with(b"HTTP/") { self.response(head, facts) } else { self.request(head, facts) };
        match body {
            Some((body, described)) => self.body(input.direction, head.len(), body, described),
            None => self.lost(input.direction, head.len()),
        }
    }

    /// States a request's facts and tells what follows its head, and what is to be looked at in it; `None` when it
    /// cannot be read.
    fn request(&mut self, head: &[u8], facts: &mut Facts<'_>) -> Option<(Body, Option<Described>)> {
        let mut headers = [EMPTY_HEADER; MOST_FIELDS];
        let mut request = Request::new(&mut headers);
        let mut lenient = ParserConfig::default();
        lenient
            .allow_multiple_spaces_in_request_line_delimiters(true)
            .ignore_invalid_headers_in_requests(true);
        let Ok(Status::Complete(_)) = lenient.parse_request(&mut request, head) else { return None };
        let method = request.method.unwrap_or_default();
        let fields = Fields::of(request.headers);
        fields.state_request(request.path.unwrap_or_default(), facts);
        if self.awaited.len() >= MOST_AWAITED {
            self.awaited.pop_front();
        }
        let method = match method {
            "HEAD" => Method::Head,
            "CONNECT" => Method::Connect,
            _ => Method::Other,
        };
        self.awaited.push_back(Asked { method, has_credentials: fields.has_credentials() });
        let body = framing::of_request(&fields);
        if body != Body::None {
            fields.state_dicom(facts);
        }
        let is_read = fields.kind.media().is_some_and(content::Media::is_sent);
        Some((body, if is_read { described(body, &fields, false) } else { None }))
    }

    /// The same for a response.
    fn response(&mut self, head: &[u8], facts: &mut Facts<'_>) -> Option<(Body, Option<Described>)> {
        let mut headers = [EMPTY_HEADER; MOST_FIELDS];
        let mut response = Response::new(&mut headers);
        let mut lenient = ParserConfig::default();
        lenient
            .allow_spaces_after_header_name_in_responses(true)
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_multiple_spaces_in_response_status_delimiters(true)
            .ignore_invalid_headers_in_responses(true);
        let Ok(Status::Complete(_)) = lenient.parse_response(&mut response, head) else { return None };
        let status = response.code.unwrap_or_default();
        let fields = Fields::of(response.headers);
        // An interim answer is not yet the answer (RFC 9110, 15.2).
        let asked = if (100..200).contains(&status) { None } else { self.awaited.pop_front() };
        fields.state_response(status, asked.is_some_and(|asked| asked.has_credentials), facts);
        if status == 101 {
            self.upgraded = fields.upgrade.and_then(upgraded);
        }
        let body = framing::of_response(status, asked.map(|asked| asked.method), &fields);
        let is_read = (200..300).contains(&status);
        if is_read && body != Body::None {
            fields.state_dicom(facts);
        }
        Some((body, if is_read { described(body, &fields, true) } else { None }))
    }

    /// Goes to what follows the head.
    fn body(
        &mut self,
        direction: Direction,
        head: usize,
        body: Body,
        described: Option<Described>,
    ) -> Progress {
        if let Some(described) = described {
            *self.side(direction) = Reading::Content(described);
            return Progress::Consumed(head);
        }
        let (next, skip) = match body {
            Body::None => (Reading::Head, 0),
            Body::Length(length) => (Reading::Head, length),
            Body::Form(length) => (Reading::Form(length), 0),
            Body::Chunked => (Reading::Chunk, 0),
            Body::UntilClose => (Reading::Head, u64::MAX),
            Body::AnotherProtocol => return Progress::Done,
            Body::Contradictory => return Progress::Broken("contradictory lengths"),
        };
        *self.side(direction) = next;
        consumed(head, skip)
    }

    /// A form's field names tell whether it carries a password; the rest of it is skipped.
    fn form(&mut self, input: &Input<'_>, length: u64, facts: &mut Facts<'_>) -> Progress {
        let wanted = usize::try_from(length).unwrap_or(usize::MAX).min(form::LONGEST_READ);
        let Some(beginning) = input.bytes.get(..wanted) else { return Progress::NeedMore };
        form::state(beginning, facts);
        *self.side(input.direction) = Reading::Head;
        consumed(0, length)
    }

    /// Looks at the beginning of a body, and passes over it once that has told what it has to tell.
    fn content(&mut self, input: &Input<'_>, described: Described, facts: &mut Facts<'_>) -> Progress {
        let gathered = body::gather(input.bytes, described.extent);
        if content::look(&described, &gathered, facts) == Wanted::More && !gathered.is_all {
            return Progress::NeedMore;
        }
        let (next, skip) = match described.extent {
            Extent::Length(length) => (Reading::Head, length),
            Extent::UntilClose => (Reading::Head, u64::MAX),
            Extent::Chunked => {
                *self.side(input.direction) = Reading::Chunk;
                return self.chunk(input);
            }
        };
        *self.side(input.direction) = next;
        consumed(0, skip)
    }

    fn chunk(&mut self, input: &Input<'_>) -> Progress {
        match httparse::parse_chunk_size(input.bytes) {
            Ok(Status::Complete((line, 0))) => {
                *self.side(input.direction) = Reading::Trailer;
                Progress::Consumed(line)
            }
            // The chunk, and the line break behind it.
            Ok(Status::Complete((line, size))) => consumed(line, size.saturating_add(2)),
            Ok(Status::Partial) if input.bytes.len() <= LONGEST_CHUNK_LINE => Progress::NeedMore,
            Ok(Status::Partial) | Err(_) => self.lost(input.direction, 0),
        }
    }

    fn trailer(&mut self, input: &Input<'_>) -> Progress {
        let Some(end) = input.bytes.iter().position(|byte| *byte == b'\n') else {
            let too_long = input.bytes.len() > LONGEST_CHUNK_LINE;
            return if too_long { self.lost(input.direction, 0) } else { Progress::NeedMore };
        };
        if matches!(input.bytes, [b'\n', ..] | [b'\r', b'\n', ..]) {
            *self.side(input.direction) = Reading::Head;
        }
        Progress::Consumed(end + 1)
    }

    /// Looks for the next start line.
    fn search(&mut self, input: &Input<'_>, searched: usize, facts: &mut Facts<'_>) -> Progress {
        let (next, passed) = match start_line::seek(input.bytes) {
            Sought::Found(0) => {
                *self.side(input.direction) = Reading::Head;
                return self.head(input, facts);
            }
            Sought::Found(at) => (Reading::Head, at),
            Sought::MayBegin(0) => return Progress::NeedMore,
            Sought::MayBegin(at) => (Reading::Search(searched.saturating_add(at)), at),
            Sought::Nowhere => {
                (Reading::Search(searched.saturating_add(input.bytes.len())), input.bytes.len())
            }
        };
        if searched > LONGEST_SEARCH {
            return Progress::Broken("no start line to go on at");
        }
        *self.side(input.direction) = next;
        Progress::Consumed(passed)
    }

    /// The framing is lost behind these bytes.
    fn lost(&mut self, direction: Direction, passed: usize) -> Progress {
        *self.side(direction) = Reading::Search(0);
        Progress::Consumed(passed.max(1))
    }
}

/// A body that is looked at: a document, or, in an answer, what may be an executable.
fn described(body: Body, fields: &Fields<'_>, is_answer: bool) -> Option<Described> {
    let extent = match body {
        Body::Length(length) => Extent::Length(length),
        Body::Chunked => Extent::Chunked,
        Body::UntilClose => Extent::UntilClose,
        Body::None | Body::Form(_) | Body::AnotherProtocol | Body::Contradictory => return None,
    };
    Some(Described {
        media: fields.kind.media(),
        encoding: fields.encoding,
        extent,
        is_answer,
        is_relayed: fields.is_forwarded(),
        is_spooler: fields.is_spooler(),
    })
}

/// What a server agrees to speak from here on (RFC 6455, 4.2.2; RFC 9113, 3.1).
fn upgraded(name: &str) -> Option<Protocol> {
    if name.eq_ignore_ascii_case("websocket") {
        Some(Protocol::Websocket)
    } else if name.eq_ignore_ascii_case("h2c") {
        Some(Protocol::Http2)
    } else {
        None
    }
}

/// The bytes at hand, and those to come that nobody wants to see.
fn consumed(seen: usize, unseen: u64) -> Progress {
    Progress::Consumed(seen.saturating_add(usize::try_from(unseen).unwrap_or(usize::MAX)))
}

#[cfg(test)]
mod tests;
