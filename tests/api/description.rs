//! The OpenAPI document lists every route and no other.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::VIEWER;
use crate::world::World;

#[tokio::test]
async fn every_route_is_described_and_no_other() {
    let world = World::start().await;
    let document = world.get(VIEWER, "/api/v1/openapi.json").await.ok();
    let described: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
        })
        .collect();
    let served: BTreeSet<(String, String)> = carillon::api::route_list()
        .into_iter()
        .map(|(method, path)| (method.to_owned(), path.to_owned()))
        .collect();
    assert_eq!(described, served);
}

#[tokio::test]
async fn every_operation_tells_its_problem() {
    let world = World::start().await;
    let document = world.get(VIEWER, "/api/v1/openapi.json").await.ok();
    for methods in document["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            let default = &operation["responses"]["default"]["content"];
            assert!(default["application/problem+json"].is_object(), "{operation}");
            assert!(operation["summary"].is_string(), "{operation}");
        }
    }
}

#[tokio::test]
async fn every_reference_of_the_description_leads_somewhere() {
    let world = World::start().await;
    let document = world.get(VIEWER, "/api/v1/openapi.json").await.ok();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[tokio::test]
async fn a_login_needs_no_body() {
    let world = World::start().await;
    let document = world.get(VIEWER, "/api/v1/openapi.json").await.ok();
    let body = &document["paths"]["/api/v1/agents/{agent}/login"]["post"]["requestBody"];
    assert_eq!((&body["required"], body["content"].is_object()), (&Value::Bool(false), true));
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get("$ref") {
                references.push(reference.clone());
            }
            fields.values().for_each(|value| collect(value, references));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
