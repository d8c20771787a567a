//! The contract of the registry: one suite, run on SQLite and on PostgreSQL. Each test is a plain function over a
//! [`Fixture`], and does not know which of the two it talks to.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

mod changes;
mod choosing;
mod closing;
mod counting;
mod devices;
mod fixture;
mod guesses;
mod isolation;

mod models;
mod opening;
mod orders;
mod paging;
mod people;
mod registering;
mod renewing;
mod resending;
mod restoring;
mod searching;
mod secrets;
mod sessions;
mod state;
mod together;
mod tokens;
mod upgrading;

/// Makes two tests of each function: `sqlite::NAME` and `postgres::NAME`.
macro_rules! on_both {
    ($($module:ident: $($test:ident)*;)*) => {
        mod sqlite {
            $($(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                crate::fixture::on_sqlite(async |fixture| crate::$module::$test(fixture).await).await;
            })*)*
        }
        mod postgres {
            $($(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                crate::fixture::on_postgres(async |fixture| crate::$module::$test(fixture).await).await;
            })*)*
        }
    };
}

on_both! {
    opening: opened_twice two_servers_on_one_database ready another_version;
    closing: last_seen_survives_the_end acknowledged_reports_are_stored what_comes_later_is_refused;
    restoring: search_shows_the_new_content groups_show_their_new_members data_is_checked_by_the_new_model;
    people: accounts first_start first_start_on_two_servers_at_once addresses default_tier;
    guesses: delay_grows_and_ends stranger_does_not_lock_a_user_out source_that_tries_many_addresses_is_slowed_down
        guesses_at_once_all_count right_password_clears_the_count address_of_nobody_is_treated_alike
        new_password_lifts_every_wait clock_that_jumps_makes_nobody_wait old_guesses_are_deleted;
    sessions: signing_in_and_out idle_sessions_end used_sessions_end_too use_is_noted_seldom new_password_ends_sessions
        forged_sessions ended_sessions_are_forgotten session_seen_in_the_future_ends;
    models: put_and_list what_is_no_model hostile_definitions_are_refused long_descriptions_are_cut_in_the_list deleting
        names_nobody_has as_many_as_allowed a_new_definition_counts_at_once;
    registering: two_rows the_same_file_again fields_that_differ some_known_among_many
        models_nobody_uploaded errors_csv_in_the_order_of_the_file errors_csv_in_pages a_name_twice limits groups counts_and_history done_when_all_is_there
        a_device_of_every_kind a_group_is_made_with_the_first_device_that_joins parts_at_once_make_one_group
        a_group_that_is_renamed_meanwhile_is_followed_and_a_deleted_one_stays_deleted
        one_group_too_many_is_refused_before_anything_is_registered
        a_field_without_a_value_in_the_file_is_not_compared texts_that_look_the_same_are_equal;
    searching: impossible_search_in_a_group texts_are_found_however_their_letters_are_composed a_mac_address_is_found_in_any_notation
        a_list_finds_exactly_the_devices_it_names a_list_is_a_filter_like_any_other a_list_may_be_as_long_as_allowed
        numbers_that_lost_their_leading_zeros;
    resending: a_lost_answer a_device_that_has_connected an_attempt_that_comes_late tokens_generated_meanwhile
        attempts_at_once;
    renewing: never_connected_devices devices_of_the_same_upload nothing_else_changes a_lost_answer_again;
    together: the_same_rows_at_once overlapping_parts_at_once parts_beside_refused_ones changes_at_once;
    devices: detail statuses changing deleting_and_the_same_name_again into_groups groups_made_and_deleted;
    choosing: in_several_calls only_what_was_there tokens_for_those_that_match exported undone;
    changes: after_each_change_of_them compaction_beside_reports a_lost_time_is_found_again;
    orders: every_order many_models last_seen_of_kinds;
    paging: both_ways numbers_in_names_are_sorted_by_value silent_devices a_fleet_that_is_too_large first_page_after_a_start what_is_found what_another_server_changed_is_found filters pages_beside_changes;
    tokens: kept_until_the_new_one_is_used used_with_a_report stopped_now as_many_as_are_kept ended_tokens disabled_devices names_nobody_has_either
        a_wrong_secret sent_again a_late_attempt gone_on_with;
    state: comes_alive last_values what_contradicts a_check_that_takes_too_long a_model_that_is_refused_now too_large reports_at_once
        good_ones_beside_refused_ones gone_meanwhile;
    counting: after_each_change at_once gone_through;
    isolation: every_use_case;
    secrets: nothing_plain_is_stored;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_database_of_an_earlier_muster() {
    fixture::on_sqlite(async |fixture| upgrading::sqlite(fixture).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_database_of_an_earlier_muster() {
    fixture::on_postgres(async |fixture| upgrading::postgres(fixture).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_is_one_file_after_the_end() {
    fixture::on_sqlite(async |fixture| closing::sqlite_is_one_file_afterwards(fixture).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_database_that_is_read_only() {
    fixture::on_postgres(async |fixture| opening::read_only_postgres(fixture).await).await;
}
