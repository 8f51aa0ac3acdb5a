//! STUB
/// STUB
#[derive(Debug, clap::Args)]
pub struct KeyArgs {}
/// STUB
///
/// # Errors
/// never
pub fn run(_: KeyArgs) -> Result<(), crate::ui::Failure> {
    Ok(())
}
