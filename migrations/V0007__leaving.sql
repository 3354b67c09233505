-- When a reply leaves: its undo window, a time set for it, an answer that comes before it; what it counts towards the
-- provider's limits; and a mailbox whose sending was stopped.

ALTER TABLE deliveries ADD COLUMN undo_until_ms INTEGER;
ALTER TABLE deliveries ADD COLUMN scheduled_at INTEGER;
ALTER TABLE deliveries ADD COLUMN unless_answered INTEGER NOT NULL DEFAULT 0 CHECK (unless_answered IN (0, 1));
ALTER TABLE deliveries ADD COLUMN stopped_by TEXT NOT NULL DEFAULT '' CHECK (stopped_by IN ('', 'undo', 'person', 'answer'));
ALTER TABLE deliveries ADD COLUMN replaced_at INTEGER;
ALTER TABLE deliveries ADD COLUMN status_before TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN status_after TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN recipient_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN accepted_at INTEGER;
ALTER TABLE deliveries ADD COLUMN draft_html TEXT NOT NULL DEFAULT '';
CREATE INDEX deliveries_by_acceptance ON deliveries (mailbox_id, accepted_at, recipient_count) WHERE accepted_at IS NOT NULL;
-- What left shortly before the upgrade counts as well.
UPDATE deliveries SET recipient_count = COALESCE((
    SELECT COALESCE(json_array_length(m.recipients, '$.to'), 0) + COALESCE(json_array_length(m.recipients, '$.cc'), 0)
        + COALESCE(json_array_length(m.recipients, '$.bcc'), 0)
    FROM messages m WHERE m.id = deliveries.message_id), 0);
UPDATE deliveries SET accepted_at = finished_at WHERE state = 'sent';

ALTER TABLE attempts ADD COLUMN code TEXT NOT NULL DEFAULT '';

ALTER TABLE mailboxes ADD COLUMN smtp_size_bytes INTEGER;
ALTER TABLE mailboxes ADD COLUMN sending_stopped_at INTEGER;
ALTER TABLE mailboxes ADD COLUMN sending_resumed_at INTEGER NOT NULL DEFAULT 0;
