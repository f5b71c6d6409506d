<?php
date_default_timezone_set('UTC');
error_reporting(E_ERROR);
set_time_limit(0);
require_once 'Sabre/autoload.php';

class OneUser extends \Sabre\DAV\Auth\Backend\AbstractBasic {
    protected function validateUserPass($user, $password) {
        return $user === '@USER@' && $password === '@PASSWORD@';
    }
}

// As the files, folders and moves of today's sabre/dav: those of Debian's 1.8 hash a whole file for each ETag, leave a
// .sabredav in each folder, and copy where they should move.
class Folder extends \Sabre\DAV\FS\Directory {
    function getChild($name) {
        $path = $this->path . '/' . $name;
        if (!file_exists($path)) throw new \Sabre\DAV\Exception\NotFound("$name is not there");
        return is_dir($path) ? new Folder($path) : new File($path);
    }
}

class File extends \Sabre\DAV\FS\File {
    function put($data) {
        file_put_contents($this->path, $data);
        clearstatcache(true, $this->path);
        return $this->getETag();
    }

    function getETag() {
        return '"' . sha1(fileinode($this->path) . filesize($this->path) . filemtime($this->path)) . '"';
    }
}

class Tree extends \Sabre\DAV\ObjectTree {
    function move($from, $to) {
        if (!rename("@ROOT@/$from", "@ROOT@/$to")) throw new \Sabre\DAV\Exception('Could not move');
        $this->markDirty(dirname($from));
        $this->markDirty(dirname($to));
    }
}

$server = new \Sabre\DAV\Server(new @TREE@(new Folder('@ROOT@')));
$server->setBaseUri('@BASE@');
$server->addPlugin(new \Sabre\DAV\Locks\Plugin(new \Sabre\DAV\Locks\Backend\File('@DIR@/locks')));
$server->addPlugin(new \Sabre\DAV\Auth\Plugin(new OneUser(), 'LFS'));
$server->exec();
