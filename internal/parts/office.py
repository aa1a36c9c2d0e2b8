# Drives LibreOffice through UNO. Each line of standard input is an order in JSON; the
# answer is one line of JSON. All of this is LibreOffice's own work: the locks, the saving.
import json
import subprocess
import sys
import time
import uuid

import uno
import unohelper
from com.sun.star.beans import PropertyValue
from com.sun.star.task import XInteractionHandler

# pyuno fails to give an exception of UNO to Python when it has no member "args".
set_member = uno._uno_struct__setattr__


def set_known(self, name, value):
    if name != "args":
        set_member(self, name, value)


uno._uno_struct__setattr__ = set_known

profile, base, user, password = sys.argv[1:5]
asked = []  # who holds the document, as the dialog says


class Person(unohelper.Base, XInteractionHandler):
    """Answers what LibreOffice asks a person."""

    def __init__(self, standard):
        self.standard = standard

    def handle(self, request):
        what = request.getRequest()
        holder = getattr(what, "UserInfo", None)
        if holder is None:  # the password: the container has it
            self.standard.handle(request)
            return
        asked.append(holder)
        for way in request.getContinuations():
            # "Open Read-Only" of the dialog.
            if way.queryInterface(uno.getTypeByName("com.sun.star.task.XInteractionApprove")):
                way.select()
                return


def connect():
    pipe = "portico-" + uuid.uuid4().hex  # process numbers are those of a namespace
    office = subprocess.Popen(
        ["soffice", "--headless", "--norestore", "--nologo", "-env:UserInstallation=file://" + profile,
         "--accept=pipe,name=" + pipe + ";urp;"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    until = time.monotonic() + 90  # its first start makes a profile
    while True:
        try:
            return office, resolver.resolve("uno:pipe,name=" + pipe + ";urp;StarOffice.ComponentContext")
        except Exception:
            if time.monotonic() > until or office.poll() is not None:
                raise
            time.sleep(0.1)


office, context = connect()
new = lambda service: context.ServiceManager.createInstanceWithContext(service, context)
desktop = new("com.sun.star.frame.Desktop")
standard = new("com.sun.star.task.InteractionHandler")
new("com.sun.star.task.PasswordContainer").add(base, user, (password,), standard)
person = Person(standard)
document = None


def options(**values):
    values["InteractionHandler"] = person
    return tuple(PropertyValue(k, 0, v, 0) for k, v in values.items())


def follow(order):
    global document
    do = order["do"]
    if do == "new":
        document = desktop.loadComponentFromURL("private:factory/swriter", "_blank", 0, ())
    elif do == "open":
        document = desktop.loadComponentFromURL(order["url"], "_blank", 0, options())
    elif do == "write":
        document.Text.String = order["text"]
    elif do == "saveas":
        document.storeAsURL(order["url"], options(FilterName="writer8"))
    elif do == "save":
        document.store()
    elif do == "close":
        document.close(True)
        document = None


print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    answer = {}
    del asked[:]
    try:
        follow(json.loads(line))
    except Exception as e:
        answer["error"] = str(e)
    if document is not None:
        answer.update(text=document.Text.String, readonly=document.isReadonly(), url=document.getURL())
    answer["asked"] = list(asked)
    print(json.dumps(answer), flush=True)
try:
    desktop.terminate()
    office.wait(20)
except Exception:
    office.kill()
