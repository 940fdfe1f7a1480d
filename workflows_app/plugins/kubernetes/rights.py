"""Asks a cluster what the worker may do there, without doing it."""

from kubernetes.client import (
    AuthorizationV1Api,
    V1ResourceAttributes,
    V1SelfSubjectAccessReview,
    V1SelfSubjectAccessReviewSpec,
)

from workflows_app.plugins.kubernetes.client import Cluster


def may(
    cluster: Cluster,
    verb: str,
    resource: str,
    *,
    group: str = "",
    subresource: str = "",
    namespace: str | None = None,
) -> bool:
    """Whether the cluster would let the worker do ``verb`` on ``resource`` of the API ``group``.

    ``namespace`` is another one than the cluster's. Raises PluginFailed when the cluster does not answer.
    """
    review = V1SelfSubjectAccessReview(
        spec=V1SelfSubjectAccessReviewSpec(
            resource_attributes=V1ResourceAttributes(
                verb=verb,
                group=group,
                resource=resource,
                subresource=subresource or None,
                namespace=cluster.namespace if namespace is None else namespace,
            )
        )
    )
    with cluster.asking("create", "selfsubjectaccessreviews.authorization.k8s.io", ""):
        answered = AuthorizationV1Api(cluster.api).create_self_subject_access_review(review)
    return bool(answered.status and answered.status.allowed)
