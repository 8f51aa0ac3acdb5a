<?php

function pricing(): string
{
    return 'the private pricing';
}
