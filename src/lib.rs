//! Carillon, a Kubernetes-native, clustered automatic call distributor (ACD) for SIP.

pub mod acd;
pub mod api;
pub mod b2bua;
pub mod base;
pub mod cluster;
pub mod media;
pub mod node;
pub mod observe;
pub mod resource;
pub mod sdp;
pub mod sip;
