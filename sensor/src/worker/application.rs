//! What the worker keeps for a flow above the transport: the conversation, and on TCP the two streams.

use wardwatch_dissect::{
    self as dissect, Address, Carrier, Conversation, Input, Interest, Outcome, Statements, TCP, UDP,
};
use wardwatch_flow::packet::{Packet, Transport, tcp_flags};
use wardwatch_flow::reassembly::{Budget, Delivery, Segment, Stream};
use wardwatch_flow::table;
use wardwatch_proto::v1::Protocol;

use super::{Shown, direction_of};

/// The state of one flow.
#[derive(Debug)]
pub(super) struct Application {
    conversation: Conversation,
    streams: [Stream; 2],
    /// The initiator's end, the responder's, and when the last packet passed: for what is read after it.
    last: Option<Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    initiator: Address,
    responder: Address,
    at: u64,
    flow: u64,
}

impl Application {
    /// Where there may be something to read. A lone SYN is no reason yet, so that a scan costs no memory; the ACK that
    /// completes the handshake is, since it tells where the initiator's stream begins.
    pub(super) fn begin(packet: &Packet<'_>) -> Option<Self> {
        let candidates = match &packet.transport {
            Transport::Tcp(tcp) if tcp.flags & tcp_flags::SYN == 0 => TCP,
            Transport::Udp { .. } if !packet.payload.is_empty() => UDP,
            _ => return None,
        };
        Some(Self {
            conversation: Conversation::new(candidates),
            streams: [Stream::new(), Stream::new()],
            last: None,
        })
    }

    pub(super) fn protocol(&self) -> Protocol {
        self.conversation.protocol()
    }

    pub(super) fn outcome(&self) -> Outcome {
        self.conversation.outcome()
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.conversation.held_bytes()
    }

    /// Reads what the packet brings.
    pub(super) fn packet(
        &mut self,
        packet: &Packet<'_>,
        direction: table::Direction,
        at: u64,
        flow: u64,
        budget: &Budget,
        statements: &mut Statements,
    ) -> Interest {
        let Some(shown) = Shown::of(packet) else { return Interest::Keep };
        let direction = direction_of(direction);
        let input = shown.input(direction, at, flow);
        let Transport::Tcp(tcp) = &packet.transport else {
            return self.conversation.datagram(&input, statements);
        };
        let Shown { sender, receiver, .. } = shown;
        let (initiator, responder) = match direction {
            dissect::Direction::FromInitiator => (sender, receiver),
            dissect::Direction::FromResponder => (receiver, sender),
        };
        self.last = Some(Last { initiator, responder, at, flow: input.flow });
        let mut interest = Interest::Keep;
        let [this, other] = [direction.index(), direction.reverse().index()];
        if tcp.flags & tcp_flags::ACK != 0 {
            let conversation = &mut self.conversation;
            let reverse =
                Input { direction: direction.reverse(), sender: receiver, receiver: sender, ..input };
            self.streams[other].acknowledge(tcp.acknowledgment, budget, &mut |delivery| {
                interest = later(interest, deliver(conversation, &reverse, delivery, statements));
            });
        }
        let conversation = &mut self.conversation;
        self.streams[this].push(Segment::of(tcp, packet), budget, &mut |delivery| {
            interest = later(interest, deliver(conversation, &input, delivery, statements));
        });
        interest
    }
}

impl Application {
    /// The flow has ended: reads what still waits behind holes.
    pub(super) fn finish(&mut self, budget: &Budget, statements: &mut Statements) {
        let Some(Last { initiator, responder, at, flow }) = self.last else { return };
        let both = [
            (dissect::Direction::FromInitiator, initiator, responder),
            (dissect::Direction::FromResponder, responder, initiator),
        ];
        for (stream, (direction, sender, receiver)) in self.streams.iter_mut().zip(both) {
            let carrier = Carrier::Transport;
            let input = Input { direction, sender, receiver, at, flow, carrier, bytes: &[] };
            stream.finish(budget, &mut |delivery| {
                deliver(&mut self.conversation, &input, delivery, statements);
            });
        }
        self.catch_up(statements);
    }

    /// Nothing may come for a while: reads what has come so far.
    pub(super) fn catch_up(&mut self, statements: &mut Statements) -> Interest {
        self.conversation.catch_up(statements)
    }
}

fn deliver(
    conversation: &mut Conversation,
    input: &Input<'_>,
    delivery: Delivery<'_>,
    statements: &mut Statements,
) -> Interest {
    match delivery {
        Delivery::Bytes(bytes) => conversation.bytes(&Input { bytes, ..*input }, statements),
        Delivery::Gap(missing) => conversation.gap(input.direction, missing, statements),
        Delivery::End => Interest::Keep,
    }
}

/// Interest that was lost once does not come back.
pub(super) fn later(before: Interest, now: Interest) -> Interest {
    if before == Interest::Lost { before } else { now }
}
