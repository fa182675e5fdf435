BEGIN TRANSACTION;
CREATE TABLE dossiers (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL,
        created TEXT NOT NULL, deleted TEXT
    ) WITHOUT ROWID;
INSERT INTO "dossiers" VALUES('f2b3a79718f55d3e','local','Bridge','bridge','2024-11-02T18:58:24.970963+00:00',NULL);
CREATE TABLE entries (
        id TEXT PRIMARY KEY, dossier_id TEXT NOT NULL, place INTEGER NOT NULL,
        article_id TEXT NOT NULL, revision INTEGER NOT NULL,
        start INTEGER NOT NULL, "end" INTEGER NOT NULL, quote TEXT NOT NULL,
        metadata TEXT NOT NULL, note TEXT NOT NULL, added TEXT NOT NULL, deleted TEXT
    ) WITHOUT ROWID;
INSERT INTO "entries" VALUES('910ee672355ab57e','f2b3a79718f55d3e',1,'courier.example/harbour',1,0,28,'The harbour bridge was closed','{"article_id": "courier.example/harbour", "title": "Harbour bridge closed", "publisher": "The Harbour Courier", "url": "", "authors": [], "published": "2024-10-21", "updated": null, "section": "", "language": "", "kind": "news", "slugline": "", "urgency": null, "correction": "", "access": "", "revision": 1}','Who says so?','2024-11-02T18:58:25.001741+00:00',NULL);
CREATE TABLE feeds (
        id TEXT PRIMARY KEY, url TEXT NOT NULL, every INTEGER NOT NULL, paused INTEGER NOT NULL,
        created TEXT NOT NULL, creator TEXT NOT NULL, due TEXT, read TEXT, counts TEXT NOT NULL,
        error TEXT NOT NULL, failures INTEGER NOT NULL, deleted TEXT
    ) WITHOUT ROWID;
INSERT INTO "feeds" VALUES('256dd85d4dbc1ecd','https://tribune.example/sitemap.xml',0,0,'2026-11-29T21:49:59.760874+00:00','127.0.0.1',NULL,NULL,'{}','',0,NULL);
INSERT INTO "feeds" VALUES('c1c1319a59aed488','https://courier.example/feed',3600,0,'2026-11-29T21:49:59.241403+00:00','command','2026-11-29T22:49:59.621322+00:00','2026-11-29T21:49:59.621322+00:00','{"new": 2, "changed": 0, "unchanged": 5, "rejected": 0}','',0,NULL);
CREATE TABLE searches (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL,
        query TEXT NOT NULL, filters TEXT NOT NULL, mode TEXT NOT NULL, created TEXT NOT NULL,
        seen INTEGER NOT NULL, seen_change TEXT NOT NULL, looked TEXT NOT NULL,
        token TEXT NOT NULL, deleted TEXT
    ) WITHOUT ROWID;
INSERT INTO "searches" VALUES('f34c0369cd7f15cd','local','Ferries','ferries','harbour ferry','{"after": "2024-10-01T00:00:00+00:00", "publishers": ["The Harbour Courier"]}','timeline','2024-11-02T18:58:24.898740+00:00',7,'2024-11-01T00:00:00+00:00','2024-11-02T18:58:24.898740+00:00','',NULL);
CREATE UNIQUE INDEX searches_name ON searches (owner, key) WHERE deleted IS NULL;
CREATE UNIQUE INDEX dossiers_name ON dossiers (owner, key) WHERE deleted IS NULL;
CREATE INDEX entries_dossier ON entries (dossier_id, place);
CREATE INDEX entries_article ON entries (article_id);
CREATE UNIQUE INDEX feeds_url ON feeds (url) WHERE deleted IS NULL;
CREATE INDEX feeds_due ON feeds (due);
COMMIT;
PRAGMA user_version = 2;
