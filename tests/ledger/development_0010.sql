BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0010');
CREATE TABLE appointment (
	id INTEGER NOT NULL, 
	member_id INTEGER NOT NULL, 
	role TEXT NOT NULL, 
	by_member_id INTEGER, 
	recorded_at DATETIME NOT NULL, 
	CONSTRAINT pk_appointment PRIMARY KEY (id), 
	CONSTRAINT ck_appointment_role_is_known CHECK (role IN ('viewer', 'forecaster', 'resolver', 'admin')), 
	CONSTRAINT fk_appointment_member_id_member FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT fk_appointment_by_member_id_member FOREIGN KEY(by_member_id) REFERENCES member (id)
);
CREATE TABLE article (
	id INTEGER NOT NULL, 
	content_hash VARCHAR NOT NULL, 
	url VARCHAR, 
	title VARCHAR NOT NULL, 
	publisher VARCHAR, 
	author VARCHAR, 
	published_at DATETIME, 
	captured_at DATETIME NOT NULL, 
	member_id INTEGER, 
	text TEXT NOT NULL, 
	CONSTRAINT pk_article PRIMARY KEY (id), 
	CONSTRAINT fk_article_member_id_member FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT uq_article_content_hash UNIQUE (content_hash)
);
CREATE TABLE channel (
	id INTEGER NOT NULL, 
	member_id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	secret_url TEXT NOT NULL, 
	events JSON NOT NULL, 
	days_before_close FLOAT NOT NULL, 
	days_until_stale FLOAT NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	removed_at DATETIME, after_resolution INTEGER, 
	CONSTRAINT pk_channel PRIMARY KEY (id), 
	CONSTRAINT ck_channel_days_before_close_positive CHECK (days_before_close > 0), 
	CONSTRAINT ck_channel_days_until_stale_positive CHECK (days_until_stale > 0), 
	CONSTRAINT fk_channel_member_id_member FOREIGN KEY(member_id) REFERENCES member (id)
);
CREATE TABLE citation (
	id INTEGER NOT NULL, 
	forecast_id INTEGER NOT NULL, 
	evidence_id INTEGER NOT NULL, 
	stance TEXT NOT NULL, 
	share FLOAT, 
	CONSTRAINT pk_citation PRIMARY KEY (id), 
	CONSTRAINT ck_citation_stance_is_known CHECK (stance IN ('supports', 'opposes', 'context')), 
	CONSTRAINT ck_citation_share_not_negative CHECK (share >= 0), 
	CONSTRAINT fk_citation_evidence_id_evidence FOREIGN KEY(evidence_id) REFERENCES evidence (id), 
	CONSTRAINT fk_citation_forecast_id_forecast FOREIGN KEY(forecast_id) REFERENCES forecast (id), 
	CONSTRAINT uq_citation_forecast_id_evidence_id UNIQUE (forecast_id, evidence_id)
);
INSERT INTO "citation" VALUES(1,1,1,'supports',NULL);
CREATE TABLE dispute (
	id INTEGER NOT NULL, 
	resolution_id INTEGER NOT NULL, 
	member_id INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	answers_id INTEGER, 
	recorded_at DATETIME NOT NULL, 
	CONSTRAINT pk_dispute PRIMARY KEY (id), 
	CONSTRAINT fk_dispute_resolution_id_resolution FOREIGN KEY(resolution_id) REFERENCES resolution (id), 
	CONSTRAINT fk_dispute_member_id_member FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT fk_dispute_answers_id_dispute FOREIGN KEY(answers_id) REFERENCES dispute (id), 
	CONSTRAINT uq_dispute_answers_id UNIQUE (answers_id)
);
CREATE TABLE entry (
	id INTEGER NOT NULL, 
	question_id INTEGER, 
	number INTEGER, 
	kind TEXT NOT NULL, 
	row_id INTEGER NOT NULL, 
	salt TEXT, 
	words_hash TEXT, 
	row_hash TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	CONSTRAINT pk_entry PRIMARY KEY (id), 
	CONSTRAINT fk_entry_question_id_question FOREIGN KEY(question_id) REFERENCES question (id), 
	CONSTRAINT uq_entry_question_id_number UNIQUE (question_id, number)
);
INSERT INTO "entry" VALUES(1,NULL,NULL,'member',1,'61b6b39d999baca65b96b545b281be9c','a35a3382c222f360665fcc524d73de691c7f9fa5d2ddf089456abd9f42f1a82b','fe72137d53ee1b06381bed71238995df0d8e482c590056419369f8f1f3502373','cfae22eebf0e1b87adaa9a012d8fbb56f25b78eace97e502653f150ce21e554c');
INSERT INTO "entry" VALUES(2,NULL,NULL,'member',2,'9a7b7fd29c999c1b48881688bd71852a','05d6cea2b1f38ca8394009df9786eb84f3ca98d6973c3611015b3d29da503f1c','6d7e969f111a23dd6a3f94e7ec09a9da7d519b3e8fcf310b51923c1fcd2c153d','cf3b5be282bcb35f81966d6ab7c10665e9f66e07a1179dd7efba446fdc5262be');
INSERT INTO "entry" VALUES(3,1,1,'question',1,NULL,NULL,'d1b441a1810ad78a99a1d13b7d170fb50a34b651b1439dfe43116cdff00b6c3a','b4b1261b62cf6dd4de2b1dda4a10a36538afee8c4ebc8429a67c1760fb7ab01e');
INSERT INTO "entry" VALUES(4,1,2,'question_revision',1,'0c20a9edc3efb833cd2b69e5e143ff64','f046ac36943f81810da32a4370059b4ad6a8ab5369eb1a3113f72eefad4fdba5','bd604bbe6712df5246e6e894144a23c797f9463b19c3ce80c0d53b64b21a7028','519771505548a89cb6bde6f60a1ccbc26718370bcda58c381a8c30bfc9db35f5');
INSERT INTO "entry" VALUES(5,NULL,NULL,'evidence',1,'855e068994d6084a56eb3900b8b84d40','890d1055e8a7e365d9e413c013da6f56b9a05bba4c0ff874ece4743fb00ac5b7','2225ce7ad4cd08b542b58558b890dca58e82617298b585819be6a7fec2c62088','d697a67b32d448b2f317bb2bbe5d1e6a144401af8a3964174be09bdd5c24a2fb');
INSERT INTO "entry" VALUES(6,1,3,'forecast',1,'a6523988adae9a9273b0d04cc56d13e8','d9bd803e163d9b95b946a52605c153923a3ecff9ae7de1ccff1fe812aba1780b','4f533937faade71500ed457168eb9b74d850f6c8725c41b6c9b9073719df589c','21c7bd156537a57c62a3749c9b70f49f7440a88ff1aec423f7b42a8ed8e6ac7e');
INSERT INTO "entry" VALUES(7,1,4,'citation',1,NULL,NULL,'6017798ab862eea602092e599971a102d1872aa27ed42afc4d56e44cd14ad258','a2a2a18f0ee596098505d4c32189524ab9b055be0ae0af358cbe98017e744928');
INSERT INTO "entry" VALUES(8,1,5,'forecast',2,NULL,NULL,'8ba7084e4d43d3c7b83ed158cdbdaf444a00eae5b27942b3c6d21597acac2132','1c9ce27b37b6851cea309b25f4699d77216cc7486f26353d836b95201d1fe3d3');
INSERT INTO "entry" VALUES(9,1,6,'question_revision',2,'b1d884dccf23e70712691bfa0dcce650','39a20dbbe0d7f17bdb73c6119bd739e8c5c62626802587dfb8e0983cacd215d0','4bfe7324ecf56b28aece695982ad611a2e8be5f128c0428e9635f1692e32128d','7ec92fbd73ebf00252d3142da4a652ab393eb04d327876c6bb9d67359b234c98');
INSERT INTO "entry" VALUES(10,1,7,'resolution',1,NULL,NULL,'56ba8377fdf6eb60b3e95076d760b9a54c478f56ba09bd5c536f2c6aaa5a2c55','b0180bd48602b62f05e9d69df80565d712dbaaa425366d6ded948b2c826fc1e6');
CREATE TABLE evidence (
	id INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	kind TEXT NOT NULL, 
	title TEXT NOT NULL, 
	url VARCHAR, 
	publisher VARCHAR, 
	published_at DATETIME, 
	quote TEXT NOT NULL, 
	note TEXT NOT NULL, 
	article_id INTEGER, 
	member_id INTEGER, 
	recorded_at DATETIME NOT NULL, 
	CONSTRAINT pk_evidence PRIMARY KEY (id), 
	CONSTRAINT fk_evidence_article_id_article FOREIGN KEY(article_id) REFERENCES article (id), 
	CONSTRAINT fk_evidence_member_id_member FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT uq_evidence_key UNIQUE ("key")
);
INSERT INTO "evidence" VALUES(1,'e-5e5deab79040b076','news','',NULL,NULL,NULL,'','clouds',NULL,2,'2026-01-02 00:00:00.000000');
CREATE TABLE exhibit (
	id INTEGER NOT NULL, 
	resolution_id INTEGER NOT NULL, 
	address TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	media VARCHAR NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	size INTEGER NOT NULL, 
	CONSTRAINT pk_exhibit PRIMARY KEY (id), 
	CONSTRAINT fk_exhibit_resolution_id_resolution FOREIGN KEY(resolution_id) REFERENCES resolution (id)
);
CREATE TABLE exhibit_content (
	id INTEGER NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	data BLOB NOT NULL, 
	CONSTRAINT pk_exhibit_content PRIMARY KEY (id), 
	CONSTRAINT uq_exhibit_content_sha256 UNIQUE (sha256)
);
CREATE TABLE forecast (
	id INTEGER NOT NULL, 
	question_id INTEGER NOT NULL, 
	member_id INTEGER NOT NULL, 
	made_at DATETIME NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	probability FLOAT, 
	probabilities JSON, 
	quantiles JSON, 
	withdrawn BOOLEAN NOT NULL, 
	rationale TEXT NOT NULL, 
	origin VARCHAR NOT NULL, 
	import_key VARCHAR, claimed_at DATETIME, vouched_by_id INTEGER CONSTRAINT fk_forecast_vouched_by_id_member REFERENCES member (id), 
	CONSTRAINT pk_forecast PRIMARY KEY (id), 
	CONSTRAINT ck_forecast_one_value_or_withdrawn CHECK ((CASE WHEN probability IS NULL THEN 0 ELSE 1 END + CASE WHEN probabilities IS NULL THEN 0 ELSE 1 END + CASE WHEN quantiles IS NULL THEN 0 ELSE 1 END) = (CASE WHEN withdrawn THEN 0 ELSE 1 END)), 
	CONSTRAINT ck_forecast_probability_in_0_1 CHECK (probability >= 0 AND probability <= 1), 
	CONSTRAINT fk_forecast_member_id_member FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT fk_forecast_question_id_question FOREIGN KEY(question_id) REFERENCES question (id), 
	CONSTRAINT uq_forecast_import_key UNIQUE (import_key)
);
INSERT INTO "forecast" VALUES(1,1,2,'2026-01-02 00:00:00.000000','2026-01-02 00:00:00.000000',0.3,NULL,NULL,0,'Clouds: ☁','cli',NULL,NULL,NULL);
INSERT INTO "forecast" VALUES(2,1,1,'2026-01-03 00:00:00.000000','2026-01-03 00:00:00.000000',0.7,NULL,NULL,0,'','cli',NULL,NULL,NULL);
CREATE TABLE glance (
	id INTEGER NOT NULL, 
	member_id INTEGER NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	CONSTRAINT pk_glance PRIMARY KEY (id), 
	CONSTRAINT fk_glance_member_id_member FOREIGN KEY(member_id) REFERENCES member (id)
);
CREATE TABLE identity (
	id INTEGER NOT NULL, 
	issuer VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	member_id INTEGER NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	CONSTRAINT pk_identity PRIMARY KEY (id), 
	CONSTRAINT fk_identity_member_id_member FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT uq_identity_issuer_subject UNIQUE (issuer, subject)
);
CREATE TABLE ledger (
	id INTEGER NOT NULL, 
	created_at DATETIME NOT NULL, 
	demonstration BOOLEAN NOT NULL, 
	CONSTRAINT pk_ledger PRIMARY KEY (id)
);
CREATE TABLE member (
	id INTEGER NOT NULL, 
	handle VARCHAR NOT NULL, 
	kind TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_member PRIMARY KEY (id), 
	CONSTRAINT uq_member_handle UNIQUE (handle)
);
INSERT INTO "member" VALUES(1,'alice','human','2026-01-01 00:00:00.000000');
INSERT INTO "member" VALUES(2,'bob','human','2026-01-01 00:00:00.000000');
CREATE TABLE membership (
	id INTEGER NOT NULL, 
	team_id INTEGER NOT NULL, 
	member_id INTEGER NOT NULL, 
	joined_at DATETIME, 
	left_at DATETIME, role TEXT DEFAULT 'forecaster' NOT NULL CONSTRAINT ck_membership_role_is_known CHECK (role IN ('viewer', 'forecaster', 'resolver', 'admin')), 
	CONSTRAINT pk_membership PRIMARY KEY (id), 
	CONSTRAINT fk_membership_member_id_member FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT fk_membership_team_id_team FOREIGN KEY(team_id) REFERENCES team (id)
);
CREATE TABLE notice (
	id INTEGER NOT NULL, 
	channel_id INTEGER NOT NULL, 
	event TEXT NOT NULL, 
	question_id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	state TEXT NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	attempts INTEGER NOT NULL, 
	next_at DATETIME NOT NULL, 
	claim VARCHAR, 
	claimed_until DATETIME, 
	sent_at DATETIME, 
	reason TEXT NOT NULL, 
	CONSTRAINT pk_notice PRIMARY KEY (id), 
	CONSTRAINT ck_notice_event_is_known CHECK (event IN ('resolved', 'decision', 'disputed', 'parked', 'awaiting', 'closing', 'stale', 'closed')), 
	CONSTRAINT ck_notice_state_is_known CHECK (state IN ('due', 'sending', 'sent', 'failed', 'moot')), 
	CONSTRAINT fk_notice_channel_id_channel FOREIGN KEY(channel_id) REFERENCES channel (id), 
	CONSTRAINT fk_notice_question_id_question FOREIGN KEY(question_id) REFERENCES question (id), 
	CONSTRAINT uq_notice_channel_id_event_question_id_at UNIQUE (channel_id, event, question_id, at)
);
CREATE TABLE policy (
	id INTEGER NOT NULL, 
	question_id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	agreeing INTEGER NOT NULL, 
	dispute_days FLOAT NOT NULL, 
	member_id INTEGER NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	CONSTRAINT pk_policy PRIMARY KEY (id), 
	CONSTRAINT ck_policy_kind_is_known CHECK (kind IN ('propose', 'confirm', 'quorum')), 
	CONSTRAINT ck_policy_somebody_agrees CHECK (agreeing >= 1), 
	CONSTRAINT ck_policy_days_not_negative CHECK (dispute_days >= 0), 
	CONSTRAINT fk_policy_question_id_question FOREIGN KEY(question_id) REFERENCES question (id), 
	CONSTRAINT fk_policy_member_id_member FOREIGN KEY(member_id) REFERENCES member (id)
);
CREATE TABLE question (
	id INTEGER NOT NULL, 
	slug VARCHAR NOT NULL, 
	member_id INTEGER NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	CONSTRAINT pk_question PRIMARY KEY (id), 
	CONSTRAINT fk_question_member_id_member FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT uq_question_slug UNIQUE (slug)
);
INSERT INTO "question" VALUES(1,'rain',1,'2026-01-01 00:00:00.000000');
CREATE TABLE question_revision (
	title VARCHAR NOT NULL, 
	type TEXT NOT NULL, 
	options JSON, 
	ordered BOOLEAN NOT NULL, 
	lower_bound VARCHAR, 
	upper_bound VARCHAR, 
	unit VARCHAR, 
	open_time DATETIME NOT NULL, 
	scheduled_close_time DATETIME NOT NULL, 
	actual_close_time DATETIME, 
	scheduled_resolve_time DATETIME, 
	spot_time DATETIME, 
	family VARCHAR NOT NULL, 
	tags JSON, 
	background TEXT NOT NULL, 
	resolution_criteria TEXT NOT NULL, 
	fine_print TEXT NOT NULL, 
	id INTEGER NOT NULL, 
	question_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	member_id INTEGER NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	reason TEXT NOT NULL, visibility TEXT DEFAULT 'everyone' NOT NULL CONSTRAINT ck_question_revision_visibility_is_known CHECK (visibility IN ('everyone', 'team', 'author')), team_id INTEGER CONSTRAINT fk_question_revision_team_id_team REFERENCES team (id) CONSTRAINT ck_question_revision_a_team_is_named CHECK (visibility <> 'team' OR team_id IS NOT NULL), crowd_hidden BOOLEAN DEFAULT false NOT NULL, 
	CONSTRAINT pk_question_revision PRIMARY KEY (id), 
	CONSTRAINT ck_question_revision_type_is_known CHECK (type IN ('binary', 'multiple_choice', 'numeric', 'date')), 
	CONSTRAINT ck_question_revision_opens_before_it_closes CHECK (open_time < scheduled_close_time), 
	CONSTRAINT fk_question_revision_member_id_member FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT fk_question_revision_question_id_question FOREIGN KEY(question_id) REFERENCES question (id), 
	CONSTRAINT uq_question_revision_question_id_number UNIQUE (question_id, number)
);
INSERT INTO "question_revision" VALUES('Will it rain?','binary',NULL,0,NULL,NULL,NULL,'2026-01-01 00:00:00.000000','2026-01-11 00:00:00.000000',NULL,NULL,NULL,'',NULL,'','','',1,1,1,1,'2026-01-01 00:00:00.000000','registered','everyone',NULL,0);
INSERT INTO "question_revision" VALUES('Will it rain?','binary',NULL,0,NULL,NULL,NULL,'2026-01-01 00:00:00.000000','2026-01-11 00:00:00.000000','2026-01-04 00:00:00.000000',NULL,NULL,'',NULL,'','','',2,1,2,1,'2026-01-05 00:00:00.000000','the outcome became known','everyone',NULL,0);
CREATE TABLE question_source (
	id INTEGER NOT NULL, 
	question_id INTEGER NOT NULL, 
	article_id INTEGER NOT NULL, 
	quote TEXT NOT NULL, 
	prefix TEXT NOT NULL, 
	suffix TEXT NOT NULL, 
	CONSTRAINT pk_question_source PRIMARY KEY (id), 
	CONSTRAINT fk_question_source_article_id_article FOREIGN KEY(article_id) REFERENCES article (id), 
	CONSTRAINT fk_question_source_question_id_question FOREIGN KEY(question_id) REFERENCES question (id)
);
CREATE TABLE removal (
	id INTEGER NOT NULL, 
	member_id INTEGER NOT NULL, 
	removed_by_id INTEGER, 
	recorded_at DATETIME NOT NULL, 
	CONSTRAINT pk_removal PRIMARY KEY (id), 
	CONSTRAINT fk_removal_member_id_member FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT fk_removal_removed_by_id_member FOREIGN KEY(removed_by_id) REFERENCES member (id), 
	CONSTRAINT uq_removal_member_id UNIQUE (member_id)
);
CREATE TABLE resolution (
	id INTEGER NOT NULL, 
	question_id INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	outcome VARCHAR NOT NULL, 
	known_at DATETIME, 
	resolved_at DATETIME, 
	recorded_at DATETIME NOT NULL, 
	member_id INTEGER, 
	resolver_id INTEGER, 
	note TEXT NOT NULL, 
	source TEXT NOT NULL, 
	proposal_id INTEGER, 
	supersedes_id INTEGER, 
	CONSTRAINT pk_resolution PRIMARY KEY (id), 
	CONSTRAINT ck_resolution_state_is_known CHECK (state IN ('proposed', 'confirmed', 'rejected')), 
	CONSTRAINT fk_resolution_member_id_member FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT fk_resolution_proposal_id_resolution FOREIGN KEY(proposal_id) REFERENCES resolution (id), 
	CONSTRAINT fk_resolution_question_id_question FOREIGN KEY(question_id) REFERENCES question (id), 
	CONSTRAINT fk_resolution_resolver_id_resolver FOREIGN KEY(resolver_id) REFERENCES resolver (id), 
	CONSTRAINT fk_resolution_supersedes_id_resolution FOREIGN KEY(supersedes_id) REFERENCES resolution (id), 
	CONSTRAINT uq_resolution_proposal_id UNIQUE (proposal_id), 
	CONSTRAINT uq_resolution_supersedes_id UNIQUE (supersedes_id)
);
INSERT INTO "resolution" VALUES(1,1,'confirmed','yes','2026-01-04 00:00:00.000000','2026-01-05 00:00:00.000000','2026-01-05 00:00:00.000000',1,NULL,'','',NULL,NULL);
CREATE TABLE resolver (
	id INTEGER NOT NULL, 
	question_id INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	settings JSON NOT NULL, 
	member_id INTEGER, 
	recorded_at DATETIME NOT NULL, beside BOOLEAN DEFAULT false NOT NULL, 
	CONSTRAINT pk_resolver PRIMARY KEY (id), 
	CONSTRAINT fk_resolver_member_id_member FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT fk_resolver_question_id_question FOREIGN KEY(question_id) REFERENCES question (id)
);
CREATE TABLE resolver_run (
	id INTEGER NOT NULL, 
	resolver_id INTEGER NOT NULL, 
	started_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	state TEXT NOT NULL, 
	message TEXT NOT NULL, 
	CONSTRAINT pk_resolver_run PRIMARY KEY (id), 
	CONSTRAINT fk_resolver_run_resolver_id_resolver FOREIGN KEY(resolver_id) REFERENCES resolver (id)
);
CREATE TABLE revisit (
	id INTEGER NOT NULL, 
	member_id INTEGER NOT NULL, 
	question_id INTEGER, 
	days INTEGER, 
	recorded_at DATETIME NOT NULL, 
	CONSTRAINT pk_revisit PRIMARY KEY (id), 
	CONSTRAINT ck_revisit_days_are_some CHECK (days > 0), 
	CONSTRAINT fk_revisit_member_id_member FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT fk_revisit_question_id_question FOREIGN KEY(question_id) REFERENCES question (id)
);
CREATE TABLE score (
	id INTEGER NOT NULL, 
	resolution_id INTEGER NOT NULL, 
	member_id INTEGER NOT NULL, 
	protocol VARCHAR NOT NULL, 
	engine_version VARCHAR NOT NULL, 
	score FLOAT NOT NULL, 
	coverage FLOAT NOT NULL, 
	updates INTEGER NOT NULL, 
	CONSTRAINT pk_score PRIMARY KEY (id), 
	CONSTRAINT fk_score_member_id_member FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT fk_score_resolution_id_resolution FOREIGN KEY(resolution_id) REFERENCES resolution (id), 
	CONSTRAINT uq_score_resolution_id_member_id_protocol UNIQUE (resolution_id, member_id, protocol)
);
INSERT INTO "score" VALUES(1,1,1,'brier','0.1.0',9.00000000000000244e-02,0.1,1);
INSERT INTO "score" VALUES(2,1,2,'brier','0.1.0',4.89999999999999935e-01,0.2,1);
INSERT INTO "score" VALUES(3,1,1,'brier_final','0.1.0',9.00000000000000244e-02,0.1,1);
INSERT INTO "score" VALUES(4,1,2,'brier_final','0.1.0',4.89999999999999935e-01,0.2,1);
INSERT INTO "score" VALUES(5,1,1,'brier_original','0.1.0',1.80000000000000048e-01,0.1,1);
INSERT INTO "score" VALUES(6,1,2,'brier_original','0.1.0',9.79999999999999871e-01,0.2,1);
CREATE TABLE team (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_team PRIMARY KEY (id), 
	CONSTRAINT uq_team_name UNIQUE (name)
);
CREATE TABLE team_rule (
	id INTEGER NOT NULL, 
	team_id INTEGER NOT NULL, 
	second_resolver BOOLEAN NOT NULL, 
	member_id INTEGER NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	CONSTRAINT pk_team_rule PRIMARY KEY (id), 
	CONSTRAINT fk_team_rule_team_id_team FOREIGN KEY(team_id) REFERENCES team (id), 
	CONSTRAINT fk_team_rule_member_id_member FOREIGN KEY(member_id) REFERENCES member (id)
);
CREATE TABLE token (
	id INTEGER NOT NULL, 
	member_id INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	digest VARCHAR NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	expires_at DATETIME, 
	CONSTRAINT pk_token PRIMARY KEY (id), 
	CONSTRAINT fk_token_member_id_member FOREIGN KEY(member_id) REFERENCES member (id), 
	CONSTRAINT uq_token_key UNIQUE ("key")
);
CREATE TABLE token_revocation (
	id INTEGER NOT NULL, 
	token_id INTEGER NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	CONSTRAINT pk_token_revocation PRIMARY KEY (id), 
	CONSTRAINT fk_token_revocation_token_id_token FOREIGN KEY(token_id) REFERENCES token (id), 
	CONSTRAINT uq_token_revocation_token_id UNIQUE (token_id)
);
CREATE TABLE watch (
	id INTEGER NOT NULL, 
	question_id INTEGER NOT NULL, 
	next_at DATETIME, 
	claimed_by VARCHAR, 
	claimed_until DATETIME, 
	attempts INTEGER NOT NULL, 
	looked_at DATETIME, 
	parked_at DATETIME, 
	reason TEXT NOT NULL, 
	CONSTRAINT pk_watch PRIMARY KEY (id), 
	CONSTRAINT fk_watch_question_id_question FOREIGN KEY(question_id) REFERENCES question (id), 
	CONSTRAINT uq_watch_question_id UNIQUE (question_id)
);
CREATE INDEX ix_article_url ON article (url);
CREATE INDEX ix_membership_member_id ON membership (member_id);
CREATE INDEX ix_membership_team_id ON membership (team_id);
CREATE INDEX ix_evidence_url ON evidence (url);
CREATE INDEX ix_forecast_member_made_at ON forecast (member_id, made_at);
CREATE INDEX ix_forecast_path ON forecast (question_id, member_id, made_at, id);
CREATE INDEX ix_question_source_article_id ON question_source (article_id);
CREATE INDEX ix_question_source_question_id ON question_source (question_id);
CREATE INDEX ix_resolver_question_id ON resolver (question_id);
CREATE INDEX ix_citation_evidence_id ON citation (evidence_id);
CREATE INDEX ix_resolution_question_id ON resolution (question_id);
CREATE UNIQUE INDEX uq_resolution_first_confirmation ON resolution (question_id) WHERE state = 'confirmed' AND supersedes_id IS NULL;
CREATE INDEX ix_resolver_run_resolver_id ON resolver_run (resolver_id);
CREATE INDEX ix_score_member_protocol ON score (member_id, protocol);
CREATE TRIGGER article_refuses_update BEFORE UPDATE ON article BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on article is refused'); END;
CREATE TRIGGER article_refuses_delete BEFORE DELETE ON article BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on article is refused'); END;
CREATE TRIGGER article_refuses_replace BEFORE INSERT ON article WHEN EXISTS (SELECT 1 FROM article WHERE id = NEW.id OR content_hash = NEW.content_hash) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: article has such a row already'); END;
CREATE TRIGGER question_refuses_update BEFORE UPDATE ON question BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on question is refused'); END;
CREATE TRIGGER question_refuses_delete BEFORE DELETE ON question BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on question is refused'); END;
CREATE TRIGGER question_refuses_replace BEFORE INSERT ON question WHEN EXISTS (SELECT 1 FROM question WHERE id = NEW.id OR slug = NEW.slug) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: question has such a row already'); END;
CREATE TRIGGER question_revision_refuses_delete BEFORE DELETE ON question_revision BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on question_revision is refused'); END;
CREATE TRIGGER question_revision_refuses_replace BEFORE INSERT ON question_revision WHEN EXISTS (SELECT 1 FROM question_revision WHERE id = NEW.id OR (question_id = NEW.question_id AND number = NEW.number)) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: question_revision has such a row already'); END;
CREATE TRIGGER question_source_refuses_update BEFORE UPDATE ON question_source BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on question_source is refused'); END;
CREATE TRIGGER question_source_refuses_delete BEFORE DELETE ON question_source BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on question_source is refused'); END;
CREATE TRIGGER question_source_refuses_replace BEFORE INSERT ON question_source WHEN EXISTS (SELECT 1 FROM question_source WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: question_source has such a row already'); END;
CREATE TRIGGER forecast_refuses_delete BEFORE DELETE ON forecast BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on forecast is refused'); END;
CREATE TRIGGER forecast_refuses_replace BEFORE INSERT ON forecast WHEN EXISTS (SELECT 1 FROM forecast WHERE id = NEW.id OR import_key = NEW.import_key) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: forecast has such a row already'); END;
CREATE TRIGGER evidence_refuses_delete BEFORE DELETE ON evidence BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on evidence is refused'); END;
CREATE TRIGGER evidence_refuses_replace BEFORE INSERT ON evidence WHEN EXISTS (SELECT 1 FROM evidence WHERE id = NEW.id OR key = NEW.key) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: evidence has such a row already'); END;
CREATE TRIGGER citation_refuses_update BEFORE UPDATE ON citation BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on citation is refused'); END;
CREATE TRIGGER citation_refuses_delete BEFORE DELETE ON citation BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on citation is refused'); END;
CREATE TRIGGER citation_refuses_replace BEFORE INSERT ON citation WHEN EXISTS (SELECT 1 FROM citation WHERE id = NEW.id OR (forecast_id = NEW.forecast_id AND evidence_id = NEW.evidence_id)) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: citation has such a row already'); END;
CREATE TRIGGER resolution_refuses_delete BEFORE DELETE ON resolution BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on resolution is refused'); END;
CREATE TRIGGER resolution_refuses_replace BEFORE INSERT ON resolution WHEN EXISTS (SELECT 1 FROM resolution WHERE id = NEW.id OR proposal_id = NEW.proposal_id OR supersedes_id = NEW.supersedes_id OR (question_id = NEW.question_id AND state = 'confirmed' AND supersedes_id IS NULL AND NEW.state = 'confirmed' AND NEW.supersedes_id IS NULL)) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: resolution has such a row already'); END;
CREATE TRIGGER membership_refuses_update BEFORE UPDATE ON membership BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on membership is refused'); END;
CREATE TRIGGER membership_refuses_delete BEFORE DELETE ON membership BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on membership is refused'); END;
CREATE TRIGGER membership_refuses_replace BEFORE INSERT ON membership WHEN EXISTS (SELECT 1 FROM membership WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: membership has such a row already'); END;
CREATE INDEX ix_question_revision_restricted ON question_revision (question_id) WHERE visibility <> 'everyone' OR crowd_hidden;
CREATE INDEX ix_appointment_member_id ON appointment (member_id);
CREATE INDEX ix_team_rule_team_id ON team_rule (team_id);
CREATE TRIGGER appointment_refuses_update BEFORE UPDATE ON appointment BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on appointment is refused'); END;
CREATE TRIGGER appointment_refuses_delete BEFORE DELETE ON appointment BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on appointment is refused'); END;
CREATE TRIGGER appointment_refuses_replace BEFORE INSERT ON appointment WHEN EXISTS (SELECT 1 FROM appointment WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: appointment has such a row already'); END;
CREATE TRIGGER team_rule_refuses_update BEFORE UPDATE ON team_rule BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on team_rule is refused'); END;
CREATE TRIGGER team_rule_refuses_delete BEFORE DELETE ON team_rule BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on team_rule is refused'); END;
CREATE TRIGGER team_rule_refuses_replace BEFORE INSERT ON team_rule WHEN EXISTS (SELECT 1 FROM team_rule WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: team_rule has such a row already'); END;
CREATE INDEX ix_identity_member_id ON identity (member_id);
CREATE INDEX ix_token_member_id ON token (member_id);
CREATE TRIGGER token_refuses_update BEFORE UPDATE ON token BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on token is refused'); END;
CREATE TRIGGER token_refuses_delete BEFORE DELETE ON token BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on token is refused'); END;
CREATE TRIGGER token_refuses_replace BEFORE INSERT ON token WHEN EXISTS (SELECT 1 FROM token WHERE id = NEW.id OR key = NEW.key) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: token has such a row already'); END;
CREATE TRIGGER token_revocation_refuses_update BEFORE UPDATE ON token_revocation BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on token_revocation is refused'); END;
CREATE TRIGGER token_revocation_refuses_delete BEFORE DELETE ON token_revocation BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on token_revocation is refused'); END;
CREATE TRIGGER token_revocation_refuses_replace BEFORE INSERT ON token_revocation WHEN EXISTS (SELECT 1 FROM token_revocation WHERE id = NEW.id OR token_id = NEW.token_id) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: token_revocation has such a row already'); END;
CREATE TRIGGER removal_refuses_replace BEFORE INSERT ON removal WHEN EXISTS (SELECT 1 FROM removal WHERE id = NEW.id OR member_id = NEW.member_id) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: removal has such a row already'); END;
CREATE TRIGGER removal_refuses_delete BEFORE DELETE ON removal BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on removal is refused'); END;
CREATE TRIGGER entry_refuses_replace BEFORE INSERT ON entry WHEN EXISTS (SELECT 1 FROM entry WHERE id = NEW.id OR (question_id = NEW.question_id AND number = NEW.number)) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: entry has such a row already'); END;
CREATE TRIGGER entry_refuses_delete BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on entry is refused'); END;
CREATE TRIGGER removal_refuses_update BEFORE UPDATE ON removal BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on removal is refused'); END;
CREATE TRIGGER forecast_refuses_update BEFORE UPDATE ON forecast WHEN NOT coalesce(NEW.id IS OLD.id AND NEW.question_id IS OLD.question_id AND NEW.member_id IS OLD.member_id AND NEW.made_at IS OLD.made_at AND NEW.recorded_at IS OLD.recorded_at AND NEW.probability IS OLD.probability AND NEW.probabilities IS OLD.probabilities AND NEW.quantiles IS OLD.quantiles AND NEW.withdrawn IS OLD.withdrawn AND NEW.origin IS OLD.origin AND NEW.claimed_at IS OLD.claimed_at AND NEW.vouched_by_id IS OLD.vouched_by_id AND (NEW.rationale IN ('', '[removed]') OR NEW.rationale = OLD.rationale) AND (NEW.import_key IS NULL OR NEW.import_key = OLD.import_key) AND EXISTS (SELECT 1 FROM removal WHERE member_id IN (OLD.member_id)), 0) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on forecast is refused'); END;
CREATE TRIGGER evidence_refuses_update BEFORE UPDATE ON evidence WHEN NOT coalesce(NEW.id IS OLD.id AND NEW.kind IS OLD.kind AND NEW.url IS OLD.url AND NEW.publisher IS OLD.publisher AND NEW.published_at IS OLD.published_at AND NEW.quote IS OLD.quote AND NEW.article_id IS OLD.article_id AND NEW.member_id IS OLD.member_id AND NEW.recorded_at IS OLD.recorded_at AND (NEW.key = 'removed-' || OLD.id OR NEW.key = OLD.key) AND (NEW.title IN ('', '[removed]') OR NEW.title = OLD.title) AND (NEW.note IN ('', '[removed]') OR NEW.note = OLD.note) AND EXISTS (SELECT 1 FROM removal WHERE member_id IN (OLD.member_id) OR member_id IN (SELECT f.member_id FROM citation c JOIN forecast f ON f.id = c.forecast_id WHERE c.evidence_id = OLD.id)), 0) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on evidence is refused'); END;
CREATE TRIGGER question_revision_refuses_update BEFORE UPDATE ON question_revision WHEN NOT coalesce(NEW.title IS OLD.title AND NEW.type IS OLD.type AND NEW.options IS OLD.options AND NEW.ordered IS OLD.ordered AND NEW.lower_bound IS OLD.lower_bound AND NEW.upper_bound IS OLD.upper_bound AND NEW.unit IS OLD.unit AND NEW.open_time IS OLD.open_time AND NEW.scheduled_close_time IS OLD.scheduled_close_time AND NEW.actual_close_time IS OLD.actual_close_time AND NEW.scheduled_resolve_time IS OLD.scheduled_resolve_time AND NEW.spot_time IS OLD.spot_time AND NEW.family IS OLD.family AND NEW.tags IS OLD.tags AND NEW.background IS OLD.background AND NEW.resolution_criteria IS OLD.resolution_criteria AND NEW.fine_print IS OLD.fine_print AND NEW.id IS OLD.id AND NEW.question_id IS OLD.question_id AND NEW.number IS OLD.number AND NEW.member_id IS OLD.member_id AND NEW.recorded_at IS OLD.recorded_at AND NEW.visibility IS OLD.visibility AND NEW.team_id IS OLD.team_id AND NEW.crowd_hidden IS OLD.crowd_hidden AND (NEW.reason IN ('', '[removed]') OR NEW.reason = OLD.reason) AND EXISTS (SELECT 1 FROM removal WHERE member_id IN (OLD.member_id)), 0) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on question_revision is refused'); END;
CREATE TRIGGER resolution_refuses_update BEFORE UPDATE ON resolution WHEN NOT coalesce(NEW.id IS OLD.id AND NEW.question_id IS OLD.question_id AND NEW.state IS OLD.state AND NEW.outcome IS OLD.outcome AND NEW.known_at IS OLD.known_at AND NEW.resolved_at IS OLD.resolved_at AND NEW.recorded_at IS OLD.recorded_at AND NEW.member_id IS OLD.member_id AND NEW.resolver_id IS OLD.resolver_id AND NEW.source IS OLD.source AND NEW.proposal_id IS OLD.proposal_id AND NEW.supersedes_id IS OLD.supersedes_id AND (NEW.note IN ('', '[removed]') OR NEW.note = OLD.note) AND EXISTS (SELECT 1 FROM removal WHERE member_id IN (OLD.member_id, (SELECT p.member_id FROM resolution p WHERE p.id = OLD.proposal_id))), 0) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on resolution is refused'); END;
CREATE TRIGGER entry_refuses_update BEFORE UPDATE ON entry WHEN NOT coalesce(NEW.id IS OLD.id AND NEW.question_id IS OLD.question_id AND NEW.number IS OLD.number AND NEW.kind IS OLD.kind AND NEW.row_id IS OLD.row_id AND NEW.words_hash IS OLD.words_hash AND NEW.row_hash IS OLD.row_hash AND NEW.hash IS OLD.hash AND NEW.salt IS NULL AND EXISTS (SELECT 1 FROM removal), 0) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on entry is refused'); END;
CREATE INDEX ix_policy_question_id ON policy (question_id);
CREATE INDEX ix_exhibit_resolution_id ON exhibit (resolution_id);
CREATE INDEX ix_exhibit_sha256 ON exhibit (sha256);
CREATE INDEX ix_dispute_resolution_id ON dispute (resolution_id);
CREATE INDEX ix_watch_next_at ON watch (next_at);
CREATE TRIGGER policy_refuses_replace BEFORE INSERT ON policy WHEN EXISTS (SELECT 1 FROM policy WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: policy has such a row already'); END;
CREATE TRIGGER policy_refuses_delete BEFORE DELETE ON policy BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on policy is refused'); END;
CREATE TRIGGER policy_refuses_update BEFORE UPDATE ON policy BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on policy is refused'); END;
CREATE TRIGGER exhibit_refuses_replace BEFORE INSERT ON exhibit WHEN EXISTS (SELECT 1 FROM exhibit WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: exhibit has such a row already'); END;
CREATE TRIGGER exhibit_refuses_delete BEFORE DELETE ON exhibit BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on exhibit is refused'); END;
CREATE TRIGGER exhibit_refuses_update BEFORE UPDATE ON exhibit BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on exhibit is refused'); END;
CREATE TRIGGER exhibit_content_refuses_replace BEFORE INSERT ON exhibit_content WHEN EXISTS (SELECT 1 FROM exhibit_content WHERE id = NEW.id OR sha256 = NEW.sha256) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: exhibit_content has such a row already'); END;
CREATE TRIGGER exhibit_content_refuses_delete BEFORE DELETE ON exhibit_content BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on exhibit_content is refused'); END;
CREATE TRIGGER exhibit_content_refuses_update BEFORE UPDATE ON exhibit_content BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on exhibit_content is refused'); END;
CREATE TRIGGER dispute_refuses_replace BEFORE INSERT ON dispute WHEN EXISTS (SELECT 1 FROM dispute WHERE id = NEW.id OR answers_id = NEW.answers_id) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: dispute has such a row already'); END;
CREATE TRIGGER dispute_refuses_delete BEFORE DELETE ON dispute BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: DELETE on dispute is refused'); END;
CREATE TRIGGER dispute_refuses_update BEFORE UPDATE ON dispute WHEN NOT coalesce(NEW.id IS OLD.id AND NEW.resolution_id IS OLD.resolution_id AND NEW.member_id IS OLD.member_id AND NEW.answers_id IS OLD.answers_id AND NEW.recorded_at IS OLD.recorded_at AND (NEW.reason IN ('', '[removed]') OR NEW.reason = OLD.reason) AND EXISTS (SELECT 1 FROM removal WHERE member_id = OLD.member_id), 0) BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: UPDATE on dispute is refused'); END;
CREATE UNIQUE INDEX uq_channel_name ON channel (member_id, name) WHERE removed_at IS NULL;
CREATE INDEX ix_notice_claim ON notice (claim);
CREATE INDEX ix_notice_under_way ON notice (channel_id) WHERE state IN ('due', 'sending', 'failed');
CREATE INDEX ix_revisit_member_id ON revisit (member_id, question_id, id);
CREATE INDEX ix_glance_member_id ON glance (member_id, id);
COMMIT;
