"""Reports of mail servers on mails that came back, as Postfix and Exchange write them."""

POSTFIX = """\
Return-Path: <>
X-Original-To: {to}
Delivered-To: {to}
Received: by mail.example.org (Postfix) id 4RkV3W1Zt8z1c; Fri, 20 Nov 2026 12:00:09 +0000 (UTC)
Date: Fri, 20 Nov 2026 12:00:09 +0000 (UTC)
From: MAILER-DAEMON@mail.example.org (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4RkV3W1Zt8z1b.1795176009/mail.example.org"
Content-Transfer-Encoding: 8bit
Message-Id: <4RkV3W1Zt8z1c@mail.example.org>

This is a MIME-encapsulated message.

--4RkV3W1Zt8z1b.1795176009/mail.example.org
Content-Description: Notification
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

This is the mail system at host mail.example.org.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<planted-mark@example.org>: host mx.example.org[192.0.2.7] said: 550 5.1.1
    <planted-mark@example.org>: Recipient address rejected: User unknown (in reply to RCPT TO command)

--4RkV3W1Zt8z1b.1795176009/mail.example.org
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org
X-Postfix-Queue-ID: 4RkV3W1Zt8z1b
X-Postfix-Sender: rfc822; {to}
Arrival-Date: Fri, 20 Nov 2026 12:00:01 +0000 (UTC)

Final-Recipient: rfc822; planted-mark@example.org
Original-Recipient: rfc822;planted-mark@example.org
Action: {action}
Status: {status}
Remote-MTA: dns; mx.example.org
Diagnostic-Code: smtp; 550 5.1.1 <planted-mark@example.org>: Recipient address rejected: User unknown

--4RkV3W1Zt8z1b.1795176009/mail.example.org
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers
Content-Transfer-Encoding: 8bit

Return-Path: <{to}>
From: help@example.org
To: planted-mark@example.org
Subject: Somebody can help you to get online

--4RkV3W1Zt8z1b.1795176009/mail.example.org--
"""

EXCHANGE = """\
From: <postmaster@example.org>
To: <{to}>
Date: Fri, 20 Nov 2026 12:00:09 +0000
Content-Type: multipart/report; report-type=delivery-status; boundary="b1_=exchange"
MIME-Version: 1.0
X-MS-Exchange-Message-Is-Ndr:
Auto-Submitted: auto-replied
Subject: Undeliverable: Somebody can help you to get online

--b1_=exchange
Content-Type: multipart/alternative; differences=Content-Type; boundary="b2_=exchange"

--b2_=exchange
Content-Type: text/html; charset="us-ascii"

<p>Your message to planted-mark@example.org couldn't be delivered.</p>

--b2_=exchange--

--b1_=exchange
Content-Type: message/delivery-status

Reporting-MTA: dns;LO2P123MB1234.GBRP123.PROD.OUTLOOK.COM
Received-From-MTA: dns;mail.example.org
Arrival-Date: Fri, 20 Nov 2026 12:00:05 +0000

Final-Recipient: rfc822;planted-mark@example.org
Action: {action}
Status: {status}
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient planted-mark@example.org not found

--b1_=exchange
Content-Type: message/rfc822

From: help@example.org
To: planted-mark@example.org
Subject: Somebody can help you to get online
Content-Type: text/plain

Hello

--b1_=exchange--
"""

HOLIDAY = """\
From: planted-mark@example.org
To: {to}
Subject: Out of office
Auto-Submitted: auto-replied
Content-Type: text/plain

Action: failed
Status: 5.1.1
"""


def report(to: str, template: str = POSTFIX, action: str = "failed", status: str = "5.1.1") -> bytes:
    return template.format(to=to, action=action, status=status).replace("\n", "\r\n").encode()
