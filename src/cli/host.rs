//! STUB
/// STUB
#[derive(Debug, clap::Args)]
pub struct HostArgs {}
/// STUB
///
/// # Errors
/// never
pub fn run(_: HostArgs) -> Result<(), crate::ui::Failure> {
    Ok(())
}
