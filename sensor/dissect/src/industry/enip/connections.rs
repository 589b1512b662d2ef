//! Connections to a message router (CIP volume 1, 3-5.5.2, Forward_Open): over them the same is asked as without one. The
//! request that opens one tells on which way it leads to its device; its answer, by which numbers it goes.

use super::cip::{self, CONNECTION_MANAGER, Question};
use crate::octets::{le32, part};
use crate::pending::Pending;

/// Services of the Connection Manager; the second is for connections that carry more at a time.
const FORWARD_OPEN: u8 = 0x54;
const LARGE_FORWARD_OPEN: u8 = 0x5B;

/// The message router's class, instance 1.
const MESSAGE_ROUTER: [u8; 4] = [0x20, 2, 0x24, 1];

/// Octets of an electronic key, which may stand before it and tells which product is expected.
const ELECTRONIC_KEY: usize = 10;

/// Connections that are being opened, that are open, and questions over them that wait for their answer.
const MOST_OPENING: usize = 4;
const MOST_OPEN: usize = 8;
const MOST_QUESTIONS: usize = 16;

/// Those of one TCP connection.
#[derive(Debug, Default)]
pub(super) struct Connections {
    /// By the sender context of the request.
    opening: Pending<[u8; 8], Vec<u8>, MOST_OPENING>,
    /// By the number to the target: that on the way back, and the way.
    open: Pending<u32, (u32, Vec<u8>), MOST_OPEN>,
    /// By the number under which the answer comes, and the sequence count that it repeats.
    questions: Pending<(u32, u16), Question, MOST_QUESTIONS>,
}

impl Connections {
    /// Takes note of an unconnected message.
    pub(super) fn unconnected(&mut self, context: [u8; 8], message: &[u8]) {
        if let Some(route) = opened(message) {
            self.opening.add(context, route.to_vec());
        } else if cip::is_answer(message)
            && let Some(route) = self.opening.take(&context)
        {
            // Service, reserved, status (good), no more of it; the numbers.
            if let [0xD4 | 0xDB, _, 0, 0, numbers @ ..] = message
                && let (Some(to), Some(back)) = (le32(numbers, 0), le32(numbers, 4))
            {
                self.open.add(to, (back, route));
            }
        }
    }

    /// Takes a message that came under this number with this sequence count; gives the question that it answers.
    pub(super) fn connected(&mut self, number: u32, sequence: u16, message: &[u8]) -> Option<Question> {
        if cip::is_answer(message) {
            return self.questions.take(&(number, sequence));
        }
        let (back, route) = self.open.get(&number)?;
        let question = cip::question_on(message, route)?;
        self.questions.add((*back, sequence), question);
        None
    }
}

/// The way on which a connection to a message router is to be opened, of a request for one.
fn opened(message: &[u8]) -> Option<&[u8]> {
    let (of, data) = cip::path(message)?;
    // Ticks, numbers, serial numbers, multiplier and interval come first; behind the parameters of either direction, of two
    // octets or four, stand the kind of transport, the length of the path in words, and the path.
    let at = match *message.first()? {
        FORWARD_OPEN => 35,
        LARGE_FORWARD_OPEN => 39,
        _ => return None,
    };
    let path = part(data, at + 1, usize::from(*data.get(at)?) * 2)?;
    let route = path.strip_suffix(&MESSAGE_ROUTER).filter(|_| of.class == CONNECTION_MANAGER)?;
    let key =
        route.len().checked_sub(ELECTRONIC_KEY).filter(|at| route.get(*at..*at + 2) == Some(&[0x34, 4]));
    route.get(..key.unwrap_or(route.len()))
}
