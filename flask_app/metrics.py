"""What this app counts of its requests."""

from flask import Blueprint, Response

from flask_app.access import get_client
from flask_app.inputs import app
from flask_app.outputs import content
from shared_core import metrics

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def get_metrics() -> Response:
    """Give Prometheus the counts of this app; only this machine and TRUSTED_PROXIES are answered."""
    counts = metrics.get_metrics(app.metrics, client=get_client(), proxies=app.settings.proxies)
    return content(counts, metrics.MEDIA_TYPE)
