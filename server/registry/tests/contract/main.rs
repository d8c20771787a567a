//! The contract of the registry: one suite, run on SQLite and on PostgreSQL. Each test is a plain function over a
//! [`Fixture`], and does not know which of the two it talks to.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

mod closing;
mod concurrent_writes;
mod counts;
mod devices;
mod fixture;
mod fleet_index;
mod groups;
mod isolation;
mod models;
mod opening;
mod orders;
mod pages;
mod registrations;
mod renewals;
mod reports;
mod restores;
mod retries;
mod rows;
mod searches;
mod secrets;
mod sessions;
mod targets;
mod tokens;
mod upgrades;
mod users;
mod wrong_passwords;

/// Defines two tests for each function: `sqlite::MODULE::NAME` and `postgres::MODULE::NAME`.
macro_rules! on_both {
    ($($module:ident: $($test:ident)*;)*) => {
        mod sqlite {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    crate::fixture::on_sqlite(async |fixture| crate::$module::$test(fixture).await).await;
                })*
            })*
        }
        mod postgres {
            $(mod $module {
                $(#[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    crate::fixture::on_postgres(async |fixture| crate::$module::$test(fixture).await).await;
                })*
            })*
        }
    };
}

on_both! {
    opening: reopened_database_keeps_its_data two_servers_share_a_database open_registry_is_ready
        database_of_another_version_is_reported;
    closing: closing_publishes_last_seen acknowledged_reports_are_stored calls_after_closing_fail;
    restores: search_shows_the_restored_devices groups_show_the_restored_members
        reports_are_checked_by_the_restored_model;
    users: account_names_are_unique operator_is_in_the_account_of_a_user first_start_adds_one_user concurrent_first_starts_add_one_user
        email_addresses_are_checked_and_unique addresses_that_look_the_same_are_the_same default_tier_applies_to_new_devices;
    wrong_passwords: delay_grows_and_ends stranger_does_not_lock_a_user_out
        source_that_tries_many_addresses_is_slowed_down concurrent_attempts_all_count right_password_clears_the_count
        unknown_address_is_treated_alike new_password_lifts_every_wait clock_that_jumps_makes_nobody_wait
        old_attempts_are_deleted;
    sessions: user_signs_in_and_out idle_session_expires used_session_expires_too use_is_stored_at_intervals
        new_password_ends_sessions forged_key_is_rejected expired_sessions_are_deleted
        session_seen_in_the_future_expires;
    models: model_is_added_updated_and_listed invalid_definitions_are_rejected hostile_definitions_are_rejected
        long_descriptions_are_cut_in_the_list unused_model_is_deleted unknown_names_get_suggestions
        number_of_models_is_limited new_definition_applies_immediately example_report_is_accepted;
    rows: two_rows_are_registered same_file_again_changes_nothing different_field_fails known_devices_among_new_ones
        unknown_model_fails errors_csv_is_in_the_order_of_the_file errors_csv_is_paged repeated_name_fails
        longest_texts_are_stored missing_field_is_not_compared texts_that_look_the_same_are_equal
        dry_run_foretells_the_outcome;
    registrations: limits_are_enforced registrations_are_counted_and_listed registration_finishes_with_its_last_part
        repeated_call_begins_no_other_registration;
    groups: devices_join_the_group group_is_created_with_the_first_device_that_joins concurrent_parts_create_one_group
        renamed_group_is_followed_and_deleted_group_stays_deleted group_over_the_limit_is_refused_before_registering
        concurrent_parts_lose_no_member members_stay_when_others_are_deleted members_are_counted_without_the_index
        names_that_look_the_same_are_one_group groups_with_odd_names_stay_usable;
    searches: impossible_search_in_a_group_finds_nothing search_ignores_unicode_composition
        mac_address_is_found_in_any_notation list_finds_exactly_its_devices list_combines_with_other_filters
        length_of_list_is_limited names_without_their_leading_zeros_are_recognized;
    retries: lost_response_is_repeated connected_device_keeps_its_token late_attempt_is_refused
        tokens_generated_meanwhile_stay_valid later_of_concurrent_attempts_wins;
    renewals: never_connected_devices_get_new_tokens devices_of_the_same_upload_keep_their_tokens
        renewal_changes_nothing_else repeated_renewal_keeps_the_old_token;
    concurrent_writes: concurrent_identical_files concurrent_overlapping_parts refused_part_does_not_affect_others
        concurrent_actions_do_not_deadlock only_reports_of_locked_devices_wait;
    devices: device_has_its_details status_follows_reports_and_changes named_devices_are_changed
        deleted_name_can_be_registered_again devices_join_and_leave_groups groups_are_created_renamed_and_deleted;
    targets: large_selection_takes_several_calls later_registered_devices_are_not_changed
        matching_devices_get_tokens export_has_the_rows_by_name undo_deletes_devices_that_never_connected;
    fleet_index: search_agrees_with_filters_after_each_change concurrent_compaction_loses_no_report
        compaction_recovers_unpublished_times;
    orders: every_order_agrees_with_a_plain_sort order_by_many_models order_by_last_seen;
    pages: pages_go_both_ways numbers_in_names_are_sorted_by_value silent_devices_are_filtered_and_changed
        too_large_fleet_is_only_listed_by_name first_page_does_not_wait_for_the_index
        search_matches_names_models_and_friendly_names changes_by_another_server_are_found filters_combine
        deletion_between_pages_skips_no_device;
    tokens: old_tokens_are_valid_until_the_new_one_is_used report_uses_the_token old_tokens_are_revoked_now
        ninth_old_token_revokes_the_oldest tokens_of_deleted_devices_are_rejected disabled_device_is_rejected
        unknown_names_get_no_tokens wrong_secret_is_rejected repeated_call_revokes_the_lost_token
        late_attempt_changes_nothing continued_job_keeps_earlier_tokens;
    reports: first_report_activates_the_device last_values_are_merged contradicting_values_are_rejected
        check_that_takes_too_long_is_rejected model_rejected_by_this_version_is_reported too_large_report_is_rejected
        concurrent_reports_are_all_stored rejected_report_does_not_affect_others device_deleted_meanwhile_is_rejected;
    counts: counts_are_right_after_each_change counts_are_right_after_concurrent_changes count_of_every_filter;
    upgrades: previous_release_runs_on_the_next_schema;
    isolation: no_use_case_crosses_accounts;
    secrets: no_plain_secret_is_stored;
}

#[tokio::test(flavor = "multi_thread")]
async fn earlier_sqlite_database_is_upgraded() {
    fixture::on_sqlite(async |fixture| upgrades::sqlite(fixture).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn earlier_postgres_database_is_upgraded() {
    fixture::on_postgres(async |fixture| upgrades::postgres(fixture).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_is_one_file_after_closing() {
    fixture::on_sqlite(async |fixture| closing::sqlite_is_one_file_after_closing(fixture).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_frees_compacted_changes() {
    fixture::on_postgres(async |fixture| fleet_index::postgres_frees_compacted_changes(fixture).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn read_only_postgres_shows_pages() {
    fixture::on_postgres(async |fixture| opening::read_only_postgres(fixture).await).await;
}
