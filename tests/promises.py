"""What the platform promises, and the tests that would fail if it did not hold: the rows of `docs/reliability.md`.

Tests are known by their own names, which stay when files move. A test that hits a random moment, as a kill does, says
how often it did so: `record_property("tried", n)`.
"""

from typing import NamedTuple


class Promise(NamedTuple):
    """One promise: what is said, the names of its tests, and what is known to break it although they pass.

    There are no tests where nothing proves it yet.
    """

    number: int
    text: str
    tests: tuple[str, ...] = ()
    gap: str = ""


PROMISES = (
    Promise(1, "The same bytes load once, whatever the name", (
        "test_the_same_bytes_load_once_whatever_the_name", "test_bytes_uploaded_in_parts_are_the_same_bytes",
        "test_the_same_bytes_under_another_name_are_a_recorded_no_op",
    )),
    Promise(2, "No half-loaded file is ever visible", ("test_a_killed_load_is_never_half_visible",)),
    Promise(3, "No value changes silently", (
        "test_integers_survive", "test_numbers_survive_or_are_refused", "test_money_survives", "test_moments_survive",
        "test_moments_in_a_zone_survive_or_are_refused", "test_booleans_survive", "test_texts_survive",
        "test_any_text_comes_through_with_its_line", "test_any_bytes_are_read_or_refused_with_a_reason",
        "test_the_quick_way_never_takes_what_the_careful_way_refuses", "test_a_cell_that_would_change_has_a_reason",
        "test_a_value_that_no_customer_has_is_a_bad_row",
    )),
    Promise(4, "Every row is accounted for", (
        "test_a_file_is_loaded_and_settled", "test_bad_rows_are_set_aside_with_their_reasons",
        "test_rows_that_an_earlier_file_brought_are_already_there", "test_rejected_rows_come_in_again_as_they_were",
    )),
    Promise(5, "A file that is overwritten while it is read is never mixed", (
        "test_a_file_replaced_or_removed_while_it_is_read_is_never_mixed",
        "test_a_file_replaced_while_it_is_read_is_read_again",
        "test_a_file_replaced_again_and_again_is_left_for_later",
    )),
    Promise(6, "A bad file says why, and blocks nobody else", (
        "test_a_file_that_breaks_the_contract_leaves_nothing_but_a_report", "test_a_bad_file_blocks_nobody_else",
        "test_a_broken_file_says_why_and_holds_up_nobody", "test_bad_rows_come_back_with_line_column_and_reason",
        "test_the_reason_says_what_the_file_is", "test_the_reason_says_what_the_file_seems_to_be",
        "test_the_template_of_every_spec_is_accepted_by_it",
    )),
    Promise(7, "One prediction per row, also after a crash", (
        "test_a_killed_scoring_predicts_every_row_once", "test_a_crash_is_finished_by_the_model_that_began",
        "test_a_scoring_goes_on", "test_a_result_has_the_order_of_the_file",
    )),
    Promise(8, "A worse, NaN or unloadable model never goes live", (
        "test_the_champion_moves_only_on_a_win",
        "test_a_damaged_challenger_never_goes_live", "test_a_champion_with_damaged_files_is_replaced",
        "test_a_champion_whose_tags_were_edited_is_still_compared_with",
        "test_a_challenger_that_predicts_otherwise_is_refused", "test_a_model_that_gives_no_number_is_not_taken_over",
    )),
    Promise(9, "Training sees only what was known then", (
        "test_the_join_equals_a_brute_force_join", "test_labels_at_any_time_see_what_a_brute_force_join_sees",
        "test_a_feature_that_is_known_only_after_the_label_is_never_seen",
        "test_training_and_scoring_equal_a_brute_force_join", "test_a_canary_from_the_future_is_never_seen",
        "test_what_was_not_known_yet_is_left_out", "test_columns_of_a_composite_key_are_compared_one_by_one",
    )),
    Promise(10, "A poisoned model runs no code", (
        "test_a_poisoned_model_is_refused_and_runs_nothing_even_if_its_digest_fits", "test_a_changed_file_is_refused",
    )),
    Promise(11, "Racing trainings end with the best model", (
        "test_racing_promotions_end_with_the_best_model", "test_with_another_champion_it_is_evaluated_again",
    )),
    Promise(12, "Roll back with one click or one command", (
        "test_after_a_rollback_and_back_the_predictions_are_the_same_bytes",
        "test_a_rollback_is_reported_and_in_the_history",
        "test_a_killed_rollback_is_completed",
    )),
    Promise(13, "The champion loads, or scoring fails closed", (
        "test_without_a_sound_champion_nothing_is_written", "test_without_a_champion_scoring_fails_closed",
    )),
    Promise(14, "A killed task recovers by itself", (
        "test_a_load_goes_on", "test_a_training_goes_on", "test_a_scheduler_killed_alone_holds_up_no_run",
        "test_workers_and_tasks_end_with_the_scheduler_that_is_killed",
    )),
    Promise(15, "Postgres, S3 or MLflow restart: nothing is lost, no hand is needed", (
        "test_a_load_goes_on", "test_a_training_goes_on", "test_a_scoring_goes_on", "test_an_outage_loads_nothing",
        "test_a_killed_postgres_comes_back_while_an_orphan_of_it_computes",
    )),
    Promise(16, "An outage of MLflow does not lose a search", (
        "test_a_killed_search_goes_on_where_it_stopped",
        "test_a_killed_adaptive_search_resumes_and_ends_as_if_it_had_not_been_killed",
    )),
    Promise(17, "A file far larger than memory is loaded"),
    Promise(18, "A full disk is clean"),
    Promise(19, "Two files at once are loaded right", (
        "test_two_at_once_load_once", "test_two_workers_on_one_arrival_agree",
        "test_two_files_with_common_rows_at_once",
        "test_the_newest_upload_is_the_current_version_whatever_was_loaded_last",
        "test_a_newer_file_that_was_compared_too_early_is_compared_again",
    )),
    Promise(20, "Columns that are reordered, extra or missing follow the declared contract", (
        "test_columns_may_be_reordered", "test_extra_columns_follow_the_contract",
        "test_a_missing_column_may_stand_for_missing_values",
    )),
    Promise(21, "Degenerate data stops the training with a reason", (
        "test_degenerate_data_leaves_no_run", "test_degenerate_data_is_refused_with_its_numbers",
    )),
    Promise(22, "Same data and code, same model", (
        "test_same_data_and_code_give_equal_metrics_and_predictions", "test_same_data_same_model",
        "test_an_adaptive_search_finds_the_same_model_again",
    )),
    Promise(23, "No default password, anywhere", (
        "test_airflow_refuses_what_people_try_first", "test_s3_refuses_what_people_try_first",
        "test_the_console_refuses_what_people_try_first", "test_a_wrong_password_is_refused",
    )),
    Promise(24, "Only loopback is reachable, and a login is asked for", (
        "test_only_this_machine_is_listened_to_and_only_on_ports_of_the_contract",
        "test_this_machine_listens_for_it_on_loopback_only", "test_airflow_wants_a_login",
        "test_without_the_token_nothing_is_told", "test_s3_refuses_strangers", "test_the_console_wants_a_login",
        "test_mlflow_and_feast_want_a_login", "test_mlflow_and_feast_refuse_other_sites", "test_feast_only_shows",
        "test_without_a_login_there_is_no_page", "test_another_host_has_no_access_even_with_a_login",
        "test_a_page_of_another_origin_has_no_access_even_with_a_login",
    )),
    Promise(25, "Each service has only its own rights in Postgres and in S3", (
        "test_a_role_enters_only_its_own_databases", "test_each_s3_identity_reaches_only_its_buckets",
        "test_the_service_reads_features_and_adds_to_its_log_and_nothing_else",
        "test_each_container_knows_only_its_own_secrets", "test_each_process_has_only_its_own_secrets",
        "test_no_s3_identity_changes_the_settings_of_a_bucket",
        "test_workers_and_what_they_start_have_no_secret_of_the_scheduler",
        "test_who_reads_logs_has_this_connection_and_the_tasks_do_not",
    )),
    Promise(26, "No secret is in a log, a parameter or a process list", (
        "test_no_secret_is_in_a_process_list_or_a_log", "test_no_command_line_and_no_log_shows_a_secret",
        "test_no_command_line_shows_a_secret", "test_no_log_of_a_task_shows_a_secret",
    )),
    Promise(27, "Hostile keys, column names and cells are only data", (
        "test_hostile_texts_are_only_data", "test_column_names_are_only_names", "test_hostile_cells_are_only_data",
        "test_hostile_names_make_plain_keys", "test_a_formula_is_harmless",
        "test_texts_that_a_spreadsheet_would_run_are_guarded_and_counted_in_csv",
        "test_texts_of_the_data_run_no_script",
    )),
    Promise(28, "An archive bomb stops at a cap", (
        "test_a_gzip_bomb_is_refused_before_it_swells", "test_a_parquet_bomb_is_refused_by_its_metadata",
    )),
    Promise(29, "Backup and restore give the same stack", (
        "test_backup_wipe_and_restore_give_the_same_platform_and_the_same_predictions",
        "test_dump_wipe_restore_gives_the_same_world", "test_a_restore_that_was_cut_short_can_be_done_again",
        "test_rows_that_are_written_meanwhile_are_in_neither_the_dump_nor_its_count",
        "test_the_log_of_a_task_that_has_ended_is_in_the_bucket_only",
    )),
    Promise(30, "One bad file never stops what comes after it", (
        "test_a_bad_file_blocks_nobody_else", "test_a_broken_file_holds_up_nobody_else_and_is_told_to_who_asks",
        "test_after_a_file_with_a_third_label_value_the_training_set_is_built",
    )),
    Promise(31, "What came in can be taken back", (
        "test_the_rows_of_an_upload_go_and_nothing_else_does", "test_the_same_bytes_may_come_again",
        "test_rows_of_a_later_file_that_were_already_there_can_come_again",
        "test_rows_that_another_file_contradicted_can_come_again",
        "test_a_file_that_comes_again_never_replaces_newer_rows",
        "test_if_the_online_store_fails_nothing_has_changed",
        "test_a_load_at_the_same_time_never_leans_on_rows_that_go",
        "test_it_is_gone_from_tables_online_store_and_archive_and_nothing_else_is",
        "test_a_trained_and_scored_entity_is_erased_and_the_versions_are_named",
        "test_the_original_bytes_are_refused_and_the_rewritten_ones_are_already_loaded",
        "test_killed_at_any_point_nothing_is_half_visible_and_the_next_run_goes_on",
        "test_nothing_is_left_but_its_files_and_who_and_why_are_recorded",
        "test_a_killed_removal_is_completed_by_the_next",
    )),
    Promise(32, "Only a model that the platform itself made and judged can be live", (
        "test_files_and_digest_that_were_changed_together_are_refused", "test_edited_tags_are_rejected",
        "test_a_version_that_the_platform_did_not_register_is_refused",
        "test_an_alias_that_was_moved_by_hand_is_followed_only_to_what_was_live_before",
        "test_an_alias_that_was_moved_to_a_version_that_nobody_judged_is_not_followed",
        "test_the_champion_that_meets_a_challenger_is_the_one_that_was_judged",
        "test_a_rollback_replaces_neither_the_gate_nor_an_approval",
        "test_a_promoted_version_is_live_after_its_acceptance_and_not_before",
        "test_files_that_were_changed_there_do_not_go_live", "test_a_model_of_another_digest_is_not_taken_over",
    )),
    Promise(33, '"Healthy" means that work goes on', (
        "test_a_server_that_cannot_work_is_not_healthy", "test_an_error_or_no_answer_is_not_healthy",
        "test_without_a_database_the_error_is_reported", "test_streams_are_healthy_while_their_server_says_so",
        "test_a_scheduler_that_looks_at_no_run_is_killed",
        "test_a_scheduler_that_does_not_look_at_its_runs_is_not_healthy",
        "test_a_scheduler_that_looks_at_no_run_is_restarted_when_that_lasts",
        "test_the_watchdog_restarts_a_component_that_hangs",
    )),
    Promise(34, "A row of a stream is loaded once and answered once", (
        "test_killed_pulls_lose_nothing_and_bring_nothing_twice", "test_of_several_pulls_at_once_one_lands_each_range",
        "test_a_killed_pull_loses_nothing_and_repeats_nothing", "test_a_killed_scorer_answers_and_logs_each_row_once",
        "test_a_broker_that_is_killed_is_waited_for", "test_rows_are_answered_once_though_the_scorer_is_killed",
        "test_a_broker_that_is_killed_while_it_is_read_is_waited_for",
        "test_only_committed_transactions_are_read_and_their_markers_leave_gaps",
        "test_rows_of_a_source_come_in_once_under_random_kills",
    )),
    Promise(35, "Drift is reported when there is some, and seldom when there is none", (
        "test_drift_is_found_in_numbers_categories_and_missing_values", "test_each_kind_of_drift_is_found",
        "test_false_alarms_are_at_most_one_in_twenty_streams",
        "test_a_tiny_difference_of_many_rows_is_significant_but_no_drift",
        "test_scored_rows_are_checked_once_and_drift_is_found_in_those_that_come_later",
    )),
    Promise(36, "Every alarm says what to do, comes once per cause, and ends with an all-clear", (
        "test_every_message_says_what_where_and_what_to_do", "test_the_end_of_a_state_names_what_it_was",
        "test_a_cause_is_told_once_to_each_channel_and_its_end_too", "test_a_happening_is_told_once_and_has_no_end",
        "test_a_channel_that_is_away_gets_its_message_later_and_delays_no_other",
        "test_a_sender_killed_before_it_sends_sends_once",
        "test_a_sender_killed_after_it_sent_repeats_the_same_message_with_the_same_id",
        "test_what_the_pipelines_record_is_found_once", "test_an_outage_of_postgres_is_told_once_and_its_end_too",
        "test_many_alerts_come_in_few_messages_and_none_is_lost",
    ), gap="A sender that is killed just after it sent a message sends it once more, with the same id."),
    Promise(37, "The truth that comes late is compared once with what was predicted then, and seldom cries wolf", (
        "test_an_estimate_comes_first_then_the_truth_and_a_change_is_found",
        "test_a_label_that_was_corrected_counts_once_and_as_it_is_now",
        "test_a_promise_that_holds_raises_an_alarm_in_at_most_one_of_twenty_streams",
        "test_a_change_is_found_soon_after_it_and_where_it_was",
        "test_labels_confirm_the_loss_and_a_retraining_is_proposed",
    )),
    Promise(38, "What a person answers about a scored row is loaded once, with the features that were scored", (
        "test_answers_are_loaded_once_with_the_features_that_were_scored",
        "test_what_was_not_asked_or_is_not_allowed_is_rejected_with_a_reason",
        "test_an_erased_entity_cannot_come_back_by_an_answer", "test_answers_can_be_taken_back_and_given_again",
    )),
    Promise(39, "Drift starts a training at most as often as allowed, and the gate decides as always", (
        "test_why_a_bad_verdict_starts_no_training",
        "test_a_decision_is_recorded_once_and_drift_is_decided_again_in_later_runs",
        "test_a_challenger_scores_the_files_of_the_champion_and_goes_live_when_the_truth_says_so",
        "test_without_any_truth_in_time_the_champion_stays_and_that_is_on_record",
        "test_a_person_approves_and_it_goes_live",
    )),
)  # fmt: skip
