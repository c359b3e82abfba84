CREATE TABLE page(id INTEGER PRIMARY KEY, frame INTEGER, owner TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<12)
INSERT INTO page SELECT i, (i*7919)%4096, 'process ' || (i%17) FROM n;
UPDATE page SET frame = frame + 1 WHERE id % 3 = 0;
DELETE FROM page WHERE id % 11 = 0;
SELECT owner, count(*), sum(frame), max(frame) FROM page GROUP BY owner ORDER BY 3 DESC;
