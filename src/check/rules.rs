//! Every rule, in the order of the page that lists them (docs/rules.md). One file a rule.

use super::rule::Rule;

mod bad_ignore;
mod ci_config_copied;
mod ci_provenance_args;
mod ci_secret_build_arg;
mod ci_trace_secrets;
mod context_with_keys;
mod fetch_without_mount;
mod folder_carried;
mod host_key_unchecked;
mod host_key_wrong;
mod key_copied;
mod key_written;
mod layer_stays_stale;
mod mount_malformed;
mod mount_unreadable;
mod secret_in_file;
mod secret_setting;
mod ssh_folder_mode;
mod ssh_keyscan;
mod ssh_mount_optional;
mod token_in_index_url;
mod token_in_insteadof;
mod token_in_remote;

/// All rules.
pub static RULES: &[&Rule] = &[
    &secret_setting::RULE,
    &secret_in_file::RULE,
    &key_copied::RULE,
    &key_written::RULE,
    &context_with_keys::RULE,
    &folder_carried::RULE,
    &token_in_insteadof::RULE,
    &token_in_remote::RULE,
    &token_in_index_url::RULE,
    &ssh_keyscan::RULE,
    &host_key_unchecked::RULE,
    &host_key_wrong::RULE,
    &ssh_folder_mode::RULE,
    &ssh_mount_optional::RULE,
    &mount_unreadable::RULE,
    &mount_malformed::RULE,
    &fetch_without_mount::RULE,
    &layer_stays_stale::RULE,
    &ci_secret_build_arg::RULE,
    &ci_config_copied::RULE,
    &ci_trace_secrets::RULE,
    &ci_provenance_args::RULE,
    &BAD_IGNORE,
];

/// The rule of comments that ask to ignore, which is asked once more when all others have looked.
pub(super) static BAD_IGNORE: Rule = bad_ignore::RULE;

#[cfg(test)]
mod tests;
