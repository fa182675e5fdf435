BEGIN TRANSACTION;
CREATE TABLE bands (
        key INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (key, number)
    ) WITHOUT ROWID;
CREATE TABLE bylines (revision_id INTEGER NOT NULL, author TEXT NOT NULL);
INSERT INTO "bylines" VALUES(1,'Ada Lindqvist');
INSERT INTO "bylines" VALUES(1,'Noor Haan');
INSERT INTO "bylines" VALUES(5,'Ada Lindqvist');
INSERT INTO "bylines" VALUES(5,'Noor Haan');
CREATE TABLE changes (
        sequence INTEGER PRIMARY KEY, at TEXT NOT NULL,
        action TEXT NOT NULL, articles INTEGER NOT NULL
    );
INSERT INTO "changes" VALUES(1,'2026-11-29T18:35:25.949242+00:00','put',4);
INSERT INTO "changes" VALUES(2,'2026-11-29T18:35:26.246959+00:00','put',1);
INSERT INTO "changes" VALUES(3,'2026-11-29T18:35:26.597916+00:00','remove',1);
CREATE TABLE copies (article_id TEXT PRIMARY KEY, story TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE held (
        id TEXT PRIMARY KEY, place TEXT NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL,
        at TEXT NOT NULL, action TEXT NOT NULL, article_id TEXT NOT NULL, origin TEXT NOT NULL,
        content TEXT NOT NULL
    );
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('embedding_model','eight words');
INSERT INTO "meta" VALUES('stories','2');
CREATE TABLE next_vectors (number INTEGER PRIMARY KEY, vector BLOB NOT NULL);
CREATE TABLE notices (
        article_id TEXT NOT NULL, notice_id TEXT NOT NULL, text TEXT NOT NULL, at TEXT NOT NULL,
        PRIMARY KEY (article_id, notice_id)
    ) WITHOUT ROWID;
CREATE TABLE origins (article_id TEXT PRIMARY KEY, host TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE passages (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        revision_id INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
        digest BLOB NOT NULL
    );
INSERT INTO "passages" VALUES(1,1,0,30,X'415393EE0F770D530D8DE09202B05576');
INSERT INTO "passages" VALUES(2,1,31,72,X'63F9235A336852BE38C43A869CE0594A');
INSERT INTO "passages" VALUES(3,2,0,59,X'E22885111048ED4BD762B3B05BC34B25');
INSERT INTO "passages" VALUES(4,2,60,78,X'D7618C1D847D94EB222A46800F7F500E');
INSERT INTO "passages" VALUES(5,3,0,26,X'98F0FCB514D8B764619E0F5488012F72');
INSERT INTO "passages" VALUES(6,3,27,48,X'3A4E724960DA8725FB176854958C323F');
INSERT INTO "passages" VALUES(7,4,0,15,X'87427A6524DF19C6D37FADEDEE7D6122');
INSERT INTO "passages" VALUES(8,4,16,27,X'BA941450F15B9214EE4D2E5EAE5D4522');
INSERT INTO "passages" VALUES(9,5,0,30,X'415393EE0F770D530D8DE09202B05576');
INSERT INTO "passages" VALUES(10,5,31,79,X'56970AE939EE38B2A0F1E3B7C2072194');
CREATE TABLE rejects (
        place TEXT PRIMARY KEY, source TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL
    ) WITHOUT ROWID;
CREATE TABLE revisions (
        id INTEGER PRIMARY KEY,
        article_id TEXT NOT NULL, revision INTEGER NOT NULL, fingerprint TEXT NOT NULL,
        title TEXT NOT NULL, publisher TEXT NOT NULL, url TEXT NOT NULL, authors TEXT NOT NULL,
        published TEXT, published_at INTEGER, updated TEXT,
        section TEXT NOT NULL, language TEXT NOT NULL, kind TEXT NOT NULL,
        since INTEGER NOT NULL, until INTEGER, slugline TEXT NOT NULL DEFAULT '', urgency INTEGER, correction TEXT NOT NULL DEFAULT '', access TEXT NOT NULL DEFAULT '',
        UNIQUE (article_id, revision)
    );
INSERT INTO "revisions" VALUES(1,'harbour.example/ferry',1,'a3757a3dd7cf62795e606acd6c3008d011833a62f5403cb302d7cb3ace5d6f9e','Ferry runs aground off the mole','Harbour Courier','https://harbour.example/ferry','["Ada Lindqvist", "Noor Haan"]','2024-10-24T18:30:00+09:00',1729762200,'2024-10-25T06:00:00+00:00','Local','en','news',1,2,'',NULL,'','');
INSERT INTO "revisions" VALUES(2,'tribune.example/bread',1,'2cf45571ca8e93d97512570701a5f72ced0c016b60244c94d29e48257ac8268f','Un boulanger « sans farine » ferme à Pellworth','Pellworth Tribune','','[]','2024-10-23T00:00:00+00:00',1729641600,NULL,'','fr','comment',1,NULL,'',NULL,'','');
INSERT INTO "revisions" VALUES(3,'notes/1',1,'0f75e164e1818f143612c1285374df377c430c9004a2a83b3030836c6423c8d3','','','','[]',NULL,NULL,NULL,'','','news',1,NULL,'',NULL,'','');
INSERT INTO "revisions" VALUES(4,'tribune.example/gone',1,'6ceb0fcd6b662778b869f9f5b9e11af4d4f3362610681e2f4fd28e2503d06078','Taken back','','','[]',NULL,NULL,NULL,'','','news',1,3,'',NULL,'','');
INSERT INTO "revisions" VALUES(5,'harbour.example/ferry',2,'76f48fd79f8016db79f58650a7187e241f7b80b4da251fb016732a7b32a4ae51','Ferry runs aground off the mole','Harbour Courier','https://harbour.example/ferry','["Ada Lindqvist", "Noor Haan"]','2024-10-24T18:30:00+09:00',1729762200,'2024-10-25T06:00:00+00:00','Local','en','news',2,NULL,'',NULL,'','');
CREATE TABLE runs (
        id INTEGER PRIMARY KEY, began TEXT NOT NULL, ended TEXT, figures TEXT NOT NULL
    );
CREATE TABLE signatures (
        number INTEGER PRIMARY KEY, article_id TEXT NOT NULL UNIQUE,
        text_hash BLOB NOT NULL, minhash BLOB NOT NULL
    );
INSERT INTO "signatures" VALUES(2,'tribune.example/bread',X'AAF3B91E0A312E2F4DA146B404876FD6',X'');
INSERT INTO "signatures" VALUES(3,'notes/1',X'9E60843E3AAE784F1D8979EA5493B134',X'');
INSERT INTO "signatures" VALUES(5,'harbour.example/ferry',X'2D2819A85A16621C457E77072F17710F',X'');
CREATE TABLE texts (revision_id INTEGER PRIMARY KEY, text TEXT NOT NULL);
INSERT INTO "texts" VALUES(1,'The ferry ran aground at dawn. Nobody was hurt, the harbour master said.');
INSERT INTO "texts" VALUES(2,'Le boulanger n’a plus de farine — la crue a noyé le moulin. 🥖 Il rouvre lundi.');
INSERT INTO "texts" VALUES(3,'A note without a headline. It has no day either.');
INSERT INTO "texts" VALUES(4,'This was wrong. It is gone.');
INSERT INTO "texts" VALUES(5,'The ferry ran aground at dawn. She was afloat again by noon, with a tug''s help.');
CREATE TABLE vectors (number INTEGER PRIMARY KEY, vector BLOB NOT NULL);
INSERT INTO "vectors" VALUES(1,X'0523DE3D0523DE3D439AA63EE3D50A3F0523DE3E0523DE3E0523DE3D0523DE3E');
INSERT INTO "vectors" VALUES(2,X'4A51DA3D4A51DA3D4A515A3ECE72083F4A51DA3E4A51DA3EF7BCA33E4A51DA3E');
INSERT INTO "vectors" VALUES(3,X'146B933D76D8253FB1FD003F146B133E9E20DD3E146B133E9E205D3E9E205D3E');
INSERT INTO "vectors" VALUES(4,X'CDCCCC3D3333333FCDCCCC3ECDCCCC3D9A99993ECDCC4C3ECDCCCC3ECDCC4C3E');
INSERT INTO "vectors" VALUES(5,X'EB263E3EEB263E3FEB263E3EEB263E3EEB26BE3EEB263E3EEB263E3EEB26BE3E');
INSERT INTO "vectors" VALUES(6,X'A311453EA311453E3BCD133F3BCD133FA311453EA311453EA311453EA311C53E');
INSERT INTO "vectors" VALUES(7,X'CDCC4C3ECDCC4C3ECDCC4C3ECDCCCC3E9A99193FCDCCCC3ECDCCCC3ECDCC4C3E');
INSERT INTO "vectors" VALUES(8,X'A311453EA311453E3BCD133FA311453EA311C53E3BCD133FA311453EA311453E');
INSERT INTO "vectors" VALUES(9,X'0523DE3D0523DE3D439AA63EE3D50A3F0523DE3E0523DE3E0523DE3D0523DE3E');
INSERT INTO "vectors" VALUES(10,X'DEA8C03DDEA8403EA67E903E15D3F03E15D3F03EA67E103FDEA8403EA67E903E');
CREATE TABLE visits (
        url TEXT PRIMARY KEY, etag TEXT NOT NULL, last_modified TEXT NOT NULL,
        status INTEGER NOT NULL, at TEXT NOT NULL, article_id TEXT NOT NULL
    ) WITHOUT ROWID;
CREATE TABLE withdrawals (
        article_id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, at TEXT NOT NULL,
        reason TEXT NOT NULL, erased INTEGER NOT NULL
    ) WITHOUT ROWID;
CREATE UNIQUE INDEX revisions_current ON revisions (article_id) WHERE until IS NULL;
CREATE INDEX revisions_published ON revisions (published_at) WHERE until IS NULL;
CREATE INDEX revisions_publisher ON revisions (publisher, published_at) WHERE until IS NULL;
CREATE INDEX revisions_since ON revisions (since);
CREATE INDEX bylines_author ON bylines (author, revision_id);
CREATE INDEX bylines_revision ON bylines (revision_id);
CREATE INDEX passages_revision ON passages (revision_id);
CREATE INDEX signatures_hash ON signatures (text_hash);
CREATE INDEX copies_story ON copies (story);
CREATE INDEX revisions_until ON revisions (until) WHERE until IS NOT NULL;
CREATE INDEX held_article ON held (article_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('passages',10);
COMMIT;
PRAGMA user_version = 5;
