<?php
// Adminer as it is, but ADMINER_DEFAULT_SERVER stands in the login form, as in the official image.
function adminer_object()
{
    class Prefilled extends Adminer
    {
        public function loginFormField($name, $heading, $value)
        {
            if ($name === 'server') {
                $server = htmlspecialchars(getenv('ADMINER_DEFAULT_SERVER') ?: 'db');
                $value = str_replace('name="auth[server]" value=""', "name=\"auth[server]\" value=\"$server\"", $value);
            }
            return parent::loginFormField($name, $heading, $value);
        }
    }
    return new Prefilled();
}

require 'adminer.php';
