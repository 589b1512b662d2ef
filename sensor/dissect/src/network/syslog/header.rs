//! The header of a message: priority, time, host and application.

use super::LONGEST_HEADER;

/// How the header is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// With a time as in RFC 3164, 4.1.2.
    Old,
    /// RFC 5424, 6.
    New,
    /// A priority and text.
    Other,
}

/// What stands before the message.
#[derive(Debug)]
pub(super) struct Header<'a> {
    pub(super) form: Form,
    /// Facility 1: programs that users start (RFC 5424, table 1).
    pub(super) is_of_user: bool,
    pub(super) host: Option<&'a str>,
    pub(super) application: Option<&'a str>,
}

pub(super) fn header(bytes: &[u8]) -> Option<Header<'_>> {
    let bytes = bytes.get(..LONGEST_HEADER).unwrap_or(bytes);
    let text = bytes.utf8_chunks().next()?.valid();
    let (priority, rest) = text.strip_prefix('<')?.split_once('>')?;
    let is_number = priority.len() <= 3 && priority.bytes().all(|byte| byte.is_ascii_digit());
    let has_zero = priority.len() > 1 && priority.starts_with('0');
    let priority: u16 = priority.parse().ok().filter(|number| is_number && !has_zero && *number <= 191)?;
    let of = |form, host, application| Header { form, is_of_user: priority / 8 == 1, host, application };
    if let Some(rest) = rest.strip_prefix("1 ")
        && let Some((time, rest)) = rest.split_once(' ')
        && is_new_time(time)
    {
        let mut fields = rest.split(' ');
        let mut field = || fields.next().filter(|field| *field != "-");
        let (host, application) = (field(), field());
        return Some(of(Form::New, host, application.filter(|name| is_name(name))));
    }
    if let Some(rest) = behind_old_time(rest) {
        let mut words = rest.split(' ');
        let (host, tag) = (words.next(), words.next());
        let tagged = host.zip(tag.and_then(application));
        return Some(of(Form::Old, tagged.map(|(host, _)| host), tagged.map(|(_, application)| application)));
    }
    let is_text = rest.bytes().next().is_some_and(|first| first.is_ascii_graphic() || first == b' ');
    is_text.then(|| of(Form::Other, None, None))
}

/// The nil value, or a date and a time (RFC 5424, 6.2.3).
fn is_new_time(time: &str) -> bool {
    time == "-" || time.len() >= 20 && fits(time.as_bytes(), b"0000-00-00T00:00:00")
}

/// What stands behind the time: `Oct 11 22:14:15 `, the day with a blank or a zero in front.
fn behind_old_time(text: &str) -> Option<&str> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (month, rest) = text.split_at_checked(3)?;
    let (time, rest) = rest.split_at_checked(13)?;
    let time = time.as_bytes();
    let is_time = fits(time, b" 00 00:00:00 ") || fits(time, b"  0 00:00:00 ");
    (MONTHS.contains(&month) && is_time).then_some(rest)
}

/// Whether the text begins like this form, in which each `0` stands for a digit.
fn fits(text: &[u8], form: &[u8]) -> bool {
    let pairs = text.iter().zip(form);
    text.len() >= form.len()
        && pairs.fold(true, |fits, (byte, form)| {
            fits && if *form == b'0' { byte.is_ascii_digit() } else { byte == form }
        })
}

/// The application in a tag: `sshd[4711]:` or `kernel:` (RFC 3164, 4.1.3).
fn application(tag: &str) -> Option<&str> {
    let tag = tag.strip_suffix(':')?;
    let name = match tag.split_once('[') {
        Some((name, id)) => {
            let is_id = id.strip_suffix(']').is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
            name.get(..).filter(|_| is_id)?
        }
        None => tag,
    };
    Some(name).filter(|name| is_name(name))
}

/// Whether this is shaped like the name of a host: letters, digits, dots and dashes, and not digits alone.
fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=48).contains(&name.len())
        && name.bytes().all(is_allowed)
        && name.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<(Option<&str>, Option<&str>)> {
        header(text.as_bytes()).map(|header| (header.host, header.application))
    }

    #[test]
    fn the_examples_of_the_standards_are_read() {
        // RFC 3164, 5.4 and RFC 5424, 6.5.
        assert_eq!(
            told("<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8"),
            Some((Some("mymachine"), Some("su")))
        );
        assert_eq!(
            told("<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \u{feff}'su root' failed"),
            Some((Some("mymachine.example.com"), Some("su")))
        );
        assert_eq!(
            told("<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time"),
            Some((Some("192.0.2.1"), Some("myproc")))
        );
        assert_eq!(told("<0>1 - - - - - -"), Some((None, None)));
    }

    #[test]
    fn words_of_a_message_are_no_hosts() {
        for text in [
            "<13>Oct 11 22:14:15 last message repeated 3 times",
            "<30>Oct 11 22:14:15 dhcpd[17]: lease for Jane",
            "<13>Oct 11 22:14:15 pump John Doe: admitted",
            "<166>%PIX-6-305011: Built",
        ] {
            assert_eq!(told(text), Some((None, None)), "{text}");
        }
    }

    #[test]
    fn priorities_beyond_those_that_exist_are_none() {
        for text in [
            "<192>Oct 11 22:14:15 a b: c",
            "<007>x",
            "<>x",
            "<1x>y",
            "<+1>y",
            "<html>",
            "<13>\u{1}",
            "13>x",
            "",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
    }
}
