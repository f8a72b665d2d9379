CREATE TABLE IF NOT EXISTS policy_log (
    revision INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    entry TEXT NOT NULL,
    stored_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS ticket (
    id INTEGER PRIMARY KEY,
    requester TEXT NOT NULL,
    assignee TEXT,
    team TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'open',
    refund INTEGER NOT NULL DEFAULT 0,
    subject TEXT NOT NULL,
    priority TEXT NOT NULL,
    phone TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    answers TEXT NOT NULL DEFAULT ''
);
-- Permissions that somebody has asked for.
CREATE TABLE IF NOT EXISTS request (
    id INTEGER PRIMARY KEY,
    user TEXT NOT NULL,
    role TEXT NOT NULL,
    action TEXT NOT NULL,
    ticket INTEGER NOT NULL REFERENCES ticket,
    outcome TEXT
);
INSERT OR IGNORE INTO ticket (id, requester, assignee, team, subject, priority, phone, note) VALUES
    (1, 'cleo', 'ada', 'north', 'The parcel came without its lid', 'high', '0161 555 0101', 'Second time this month'),
    (2, 'cleo', NULL, 'north', 'Change of address', 'normal', '0161 555 0101', ''),
    (3, 'emil', 'ben', 'south', 'Charged twice', 'high', '023 555 0177', 'Bank statement is attached'),
    (4, 'fay', NULL, 'south', 'Which batteries fit?', 'low', '023 555 0123', '');
