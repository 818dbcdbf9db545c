"""Which shelf the settings name: a folder, or a bucket of an S3-compatible store."""

from bot.settings.sections import Settings
from storage.evidence import bucket
from storage.evidence.blobs import Folder, Shelf


def make_shelf(settings: Settings) -> Shelf:
    """Return where evidence lies; nothing is asked or made yet."""
    path, named = settings.files.path, settings.bucket
    if not named.name:
        return Folder(path)
    store = bucket.connect(
        named.name,
        endpoint=named.endpoint,
        region=named.region,
        prefix=named.prefix,
        key_id=named.access_key_id,
        secret=named.secret_access_key.get_secret_value(),
    )
    return bucket.Bucket(store, path)
