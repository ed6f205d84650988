set local lock_timeout = '5s';

-- What the person said to the help that was found, when they were told of it.
alter table call_task add column answer text;
alter table call_task add column answer_until date;
alter table call_task add constraint call_task_answered check (
    (answer is null or outcome = 'reached') and (answer_until is not null) = (answer is not distinct from 'not-now')
) not valid;
