//! A client that asked quickly, and then nothing more, costs no processor time.

use super::client::{Client, expect_rest, inside, lending};

#[test]
fn a_connection_costs_nothing_between_requests() {
    if inside() {
        // Quick enough to be waited for without sleeping; the last of them is not followed.
        let mut client = Client::connect();
        for _ in 0..1000 {
            assert!(client.list().is_some());
        }
        expect_rest();
        // The control: it is still connected and answered.
        assert!(client.log_in());
        return;
    }
    let (_keys, lending) = lending();
    lending.again("agent::idle::a_connection_costs_nothing_between_requests").expect_bound("forge", 1);
}
