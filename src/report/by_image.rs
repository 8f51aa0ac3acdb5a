//! The findings where a person looks for them: by image, and in it by layer.
//!
//! Loses none: what names an image or a layer that was not read comes behind, under its own name.

use crate::audit::finding::{Finding, ImageRead, LayerRead, Report, Severity, Unread};

/// What colour a layer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Clean,
    Notes,
    Warnings,
    Secrets,
    NotRead,
}

/// A layer with what is in it.
pub(super) struct Layer<'a> {
    pub(super) read: &'a LayerRead,
    pub(super) findings: Vec<&'a Finding>,
    pub(super) unread: Vec<&'a Unread>,
    /// Findings of other layers that this one hides.
    pub(super) hides: Vec<&'a Finding>,
}

/// An image with what is in it.
pub(super) struct Image<'a> {
    pub(super) read: &'a ImageRead,
    /// From the base upwards, as many as the image has.
    pub(super) layers: Vec<Layer<'a>>,
    /// What is in no layer: config, history, annotations, attestations, manifest.
    pub(super) findings: Vec<&'a Finding>,
    pub(super) unread: Vec<&'a Unread>,
}

/// All of a report.
pub(super) struct Grouped<'a> {
    pub(super) images: Vec<Image<'a>>,
    /// Findings whose image is none of those that were read.
    pub(super) findings: Vec<&'a Finding>,
    pub(super) unread: Vec<&'a Unread>,
}

impl Layer<'_> {
    /// A secret is the worst; a gap is worse than a warning, because it may be a secret.
    pub(super) fn state(&self) -> State {
        match self.findings.iter().map(|finding| finding.severity).max() {
            Some(Severity::Error) => State::Secrets,
            _ if !self.unread.is_empty() => State::NotRead,
            Some(Severity::Warning) => State::Warnings,
            Some(Severity::Note) => State::Notes,
            None => State::Clean,
        }
    }
}

pub(super) fn group(report: &Report) -> Grouped<'_> {
    let mut images: Vec<Image<'_>> = report.images.iter().map(empty).collect();
    let (mut findings, mut unread) = (Vec::new(), Vec::new());
    for finding in &report.findings {
        let place = find(&report.images, Some(&finding.image), finding.platform.as_deref());
        let Some(image) = place.and_then(|at| images.get_mut(at)) else {
            findings.push(finding);
            continue;
        };
        if let Some(layer) = finding.location.hidden_by.and_then(|at| image.layers.get_mut(at)) {
            layer.hides.push(finding);
        }
        match finding.location.layer.and_then(|at| image.layers.get_mut(at)) {
            Some(layer) => layer.findings.push(finding),
            None => image.findings.push(finding),
        }
    }
    for gap in &report.unread {
        let place = find(&report.images, gap.image.as_deref(), gap.platform.as_deref());
        let Some(image) = place.and_then(|at| images.get_mut(at)) else {
            unread.push(gap);
            continue;
        };
        match gap.layer.and_then(|at| image.layers.get_mut(at)) {
            Some(layer) => layer.unread.push(gap),
            None => image.unread.push(gap),
        }
    }
    Grouped { images, findings, unread }
}

fn empty(read: &ImageRead) -> Image<'_> {
    let layers = read.layers.iter();
    let layers = layers.map(|read| Layer { read, findings: Vec::new(), unread: Vec::new(), hides: Vec::new() });
    Image { read, layers: layers.collect(), findings: Vec::new(), unread: Vec::new() }
}

/// By name and platform; by name alone where no platform is said and only one image has it.
fn find(images: &[ImageRead], name: Option<&str>, platform: Option<&str>) -> Option<usize> {
    let name = name?;
    let named = || images.iter().enumerate().filter(|(_, image)| image.name == name);
    let exact = named().find(|(_, image)| image.platform.as_deref() == platform);
    let only = || named().next().filter(|_| platform.is_none() && named().count() == 1);
    exact.or_else(only).map(|(at, _)| at)
}
