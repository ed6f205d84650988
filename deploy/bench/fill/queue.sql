-- {waiting} needs of one kind that wait, of 33 wards and 200 partners, and places of four sorts that came free.
select setseed(0.5);

insert into provider (partner, provider_id, name, languages) values ('library', 'library', 'Library', '{{}}');
insert into place (partner, place_id, provider_id, kind, wanted, capacity, state, wards, languages, formats, requirements,
                   open_to, scheme)
values
    ('library', 'for everybody', 'library', 'device', 1, 1, 'open', '{{}}', '{{}}', '{{}}',
     '{{large-screen,wheelchair-access,interpreter,home-visit}}', '{{}}', null),
    ('library', 'of a ward', 'library', 'device', 1, 1, 'open', '{{E05000007}}', '{{}}', '{{}}', '{{}}', '{{}}', null),
    ('library', 'of a partner', 'library', 'device', 1, 1, 'open', '{{}}', '{{}}', '{{}}', '{{}}', '{{partner-7}}', null),
    ('library', 'that suits few', 'library', 'device', 1, 1, 'open', '{{}}', '{{so}}', '{{group}}', '{{}}', '{{}}',
     'scheme:rare');

insert into need (need_id, referral_id, partner, kind, state, lane, rank_key, ward, area, requirements, languages, formats,
                  schemes, score, groups, area_step, policy)
select uuidv7(), uuidv7(), 'partner-' || n % 200, 'device', 'waiting',
       case when random() < 0.02 then 'urgent' else 'routine' end::lane, now() - random() * interval '180 days',
       'E050000' || lpad((n % 33)::text, 2, '0'), 'E050000' || lpad((n % 33)::text, 2, '0'),
       case when random() < 0.7 then '{{}}'
            else (array['{{large-screen}}', '{{wheelchair-access}}', '{{interpreter}}', '{{home-visit,interpreter}}',
                        '{{home-visit}}'])[1 + floor(random() * 5)]::text[] end,
       case when random() < 0.5 then '{{}}'
            else array[(array['en', 'ur', 'pl', 'ar', 'fa', 'ro', 'pa', 'ti', 'ku', 'zh'])[1 + floor(random() * 10)]] end,
       case when random() < 0.6 then '{{}}'
            else array[(array['in-person', 'phone', 'video', 'group'])[1 + floor(random() * 4)]] end,
       case when random() < 0.5 then '{{}}' else '{{scheme:databank}}'::text[] end, 40, 2, 10, 'leeds-1'
from generate_series(1, {waiting}) as n;

analyze need;
