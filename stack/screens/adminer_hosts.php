<?php
// Run before Adminer: it answers only its own address, and only pages of its own. Containers run this file by
// `auto_prepend_file`; without containers it is PHP's router, which includes the page ADMINER_PAGE.
function is_allowed_here(): bool
{
    $hosts = explode(',', getenv('ADMINER_HOSTS'));
    $origin = $_SERVER['HTTP_ORIGIN'] ?? null;
    return in_array($_SERVER['HTTP_HOST'] ?? '', $hosts, true)
        && ($origin === null || in_array(explode('://', $origin)[1] ?? '', $hosts, true));
}

if (!is_allowed_here()) {
    http_response_code(403);
    header('Content-Type: text/plain');
    exit('only pages of ' . str_replace(',', ' or ', getenv('ADMINER_HOSTS')) . " have access\n");
}
if (getenv('ADMINER_PAGE')) {
    require getenv('ADMINER_PAGE');
}
