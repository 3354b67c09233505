-- Search: one list of words for each message and each note. The lists are made by the program
-- (model::search); what they were made from is not stored a second time.

CREATE VIRTUAL TABLE message_search USING fts5 (
    words, content = '', contentless_delete = 1, tokenize = "ascii tokenchars '='"
);
CREATE VIRTUAL TABLE note_search USING fts5 (
    words, content = '', contentless_delete = 1, tokenize = "ascii tokenchars '='"
);

-- What is gone is found no more, whoever deletes it.
CREATE TRIGGER messages_leave_search AFTER DELETE ON messages BEGIN
    DELETE FROM message_search WHERE rowid = old.id;
END;
CREATE TRIGGER notes_leave_search AFTER DELETE ON notes BEGIN
    DELETE FROM note_search WHERE rowid = old.id;
END;

-- Notes of before are indexed by and by.
ALTER TABLE notes ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0 CHECK (indexed IN (0, 1));
CREATE INDEX notes_to_index ON notes (id) WHERE indexed = 0;
