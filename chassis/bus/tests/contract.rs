//! What every log promises, whichever is behind the trait. Each promise is tested on the embedded bus, and on Apache Kafka where
//! `WARDWATCH_TEST_KAFKA` names a broker (`cargo run -p wardwatch-tests engines` starts one).

#![allow(missing_docs, reason = "a test")]

mod contract {
    pub(crate) mod consuming;
    pub(crate) mod groups;
    pub(crate) mod log;
    pub(crate) mod publishing;
    pub(crate) mod topics;
}

use contract::log::Log;
use contract::{consuming, groups, publishing, topics};

macro_rules! on_both {
    ($($room:ident :: $promise:ident),* $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $promise() {
                let mut log = super::Log::embedded();
                super::$room::$promise(&mut log).await;
            })*
        }

        mod kafka {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $promise() {
                let Some(mut log) = super::Log::kafka(stringify!($promise)) else { return };
                super::$room::$promise(&mut log).await;
            })*
        }
    };
}

on_both! {
    publishing::order_is_kept_in_a_partition_with_many_in_flight,
    publishing::what_has_been_published_is_there_for_a_new_client,
    publishing::keys_headers_and_payloads_come_back_as_they_were,
    publishing::a_message_of_the_largest_size_passes_and_a_larger_one_is_refused,
    publishing::what_waits_is_bounded_and_everything_arrives,
    publishing::the_log_stamps_messages_by_a_clock_that_does_not_run_backwards,
    topics::a_topic_or_partition_that_is_not_there_is_named,
    topics::a_topic_is_made_once_and_another_partition_count_is_refused,
    topics::watermarks_tell_what_a_partition_holds,
    topics::a_bus_that_works_answers_a_ping,
    consuming::an_assigned_partition_delivers_nothing_until_it_is_sought,
    consuming::seeking_back_replays_and_seeking_on_skips,
    consuming::an_offset_that_is_not_there_is_refused_with_what_is,
    consuming::a_paused_partition_waits_and_loses_nothing,
    consuming::a_slow_consumer_loses_nothing,
    consuming::giving_up_waiting_loses_nothing,
    groups::groups_read_independently,
    groups::a_commit_is_kept_for_operators_and_moves_nothing,
    groups::lag_is_counted,
    groups::one_who_left_is_told_so_and_another_takes_over,
    groups::what_is_not_assigned_is_refused,
}

mod kafka_alone {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn two_members_share_the_partitions_and_lose_nothing_when_one_leaves() {
        let name = "two_members_share_the_partitions_and_lose_nothing_when_one_leaves";
        let Some(mut log) = Log::kafka(name) else { return };
        groups::two_members_share_the_partitions_and_lose_nothing_when_one_leaves(&mut log).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_revocation_waits_until_its_work_has_ended() {
        let Some(mut log) = Log::kafka("a_revocation_waits_until_its_work_has_ended") else { return };
        groups::a_revocation_waits_until_its_work_has_ended(&mut log).await;
    }
}

mod kafka_retention {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn what_retention_took_before_it_was_read_is_an_error_and_not_a_jump() {
        let name = "what_retention_took_before_it_was_read_is_an_error_and_not_a_jump";
        let Some(mut log) = Log::kafka(name) else { return };
        consuming::what_retention_took_before_it_was_read_is_an_error_and_not_a_jump(&mut log).await;
    }
}

mod embedded_alone {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_group_has_one_member() {
        let mut log = Log::embedded();
        groups::a_group_has_one_member(&mut log).await;
    }
}
