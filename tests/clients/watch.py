"""The Python client, unchanged, on the embedded API: lists, watches, patches, waits for readiness."""

from kubernetes import client, config, watch

config.load_kube_config()
core, apps = client.CoreV1Api(), client.AppsV1Api()

core.create_namespaced_config_map("default", {"metadata": {"name": "py"}, "data": {"k": "v"}})
seen = core.list_namespaced_config_map("default")
assert any(item.metadata.name == "py" for item in seen.items), seen

labels = {"app": "py"}
apps.create_namespaced_deployment(
    "default",
    client.V1Deployment(
        metadata=client.V1ObjectMeta(name="py"),
        spec=client.V1DeploymentSpec(
            replicas=1,
            selector=client.V1LabelSelector(match_labels=labels),
            template=client.V1PodTemplateSpec(
                metadata=client.V1ObjectMeta(labels=labels),
                spec=client.V1PodSpec(containers=[client.V1Container(name="c", image="i")]),
            ),
        ),
    ),
)
events = watch.Watch().stream(
    apps.list_namespaced_deployment, "default", field_selector="metadata.name=py", timeout_seconds=20
)
assert any(event["object"].status.ready_replicas == 1 for event in events), "never ready"

core.patch_namespaced_config_map("py", "default", {"data": {"k": None, "j": "w"}})
assert core.read_namespaced_config_map("py", "default").data == {"j": "w"}
core.delete_namespaced_config_map("py", "default")
try:
    core.read_namespaced_config_map("py", "default")
    raise SystemExit("it is still there")
except client.ApiException as error:
    assert error.status == 404 and "not found" in error.body, error
print("python: well")
