"""Parts of the sandbox's usernames. Letters only, so that no two names are equal."""

from __future__ import annotations

_FIRST = """
    aaliyah adrian agnes aisha alba albert alejandra alina amara amelie amir ana andrej anja
    anouk antonia arjun astrid aylin beatriz ben bianca bruno camila carla carlos caro cem
    chiara chloe clara dana daniel david deniz diego dilara dina diyar edith elena elif elias
    elio ella emma emre enrique esra eva fabian fatima felix fiona florian franka frieda gabriel
    giulia greta gustav hanna hannes haruka hassan hugo ida ines irina isabel ivan jakob jana
    jasmin javier jonas josefine julia julian kaan karim karla katja kenji kilian klara lara
    lars laura leila lena leo leon lia lina linus lisa lotta louis luca lucia luis luisa lukas
    luna mads maja malik malte manuel mara marco maria marie marlene mateo matilda max maya
    mehmet mia miguel mila milan mina mira mohamed nadia naomi nele nico niklas nils nina noah
    nora olga oliver omar oskar pablo paula pauline pedro pia priya rafael rahel rania rebecca
    ricardo rosa ruben samira samuel sara selin sergio sina sofia sophie stella sven tabea tarik
    thea theo tim tomas valentina vera victor wanda yara yasmin yuki yusuf zeynep zoe
"""
_LAST = """
    abel ackermann adler aguilar albrecht alonso alvarez arslan aydin bach baker balci barros
    bauer becker benitez berger bianchi blanc bloom boehm borges brandt braun brooks bruni
    cabrera campos cardoso castillo celik chen clarke colombo conti correia costa cruz dahl
    delgado demir diaz dietrich dogan dubois dumont eder egger engel erdem ernst esposito
    estrada falk farah fernandes ferrari fischer flores fontana frank franke freitas fuchs
    fuentes gallo garnier gomez graf greco gross guerra gunes haas hahn hansen hartmann heller
    herrera hoffmann holm horn huber ibrahim iglesias ito jansen jensen jimenez kaiser kaplan
    kara kato keller khan klein koch kowalski kraus kruger kumar lang larsen laurent lehmann
    leitner lindberg lombardi lopez lorenz lund machado maier mancini marin marques martin mayer
    medina mendes meyer miller molina moreau moretti moser mueller nakamura navarro neumann
    nguyen nowak olsen ortega ozturk park patel paulsen peters petit pfeiffer pinto polat
    popescu prieto ramos reyes ribeiro ricci richter rivera romano rossi roth roux ruiz sahin
    santos sato sauer schmid schneider schulz serrano silva simon singh sommer sousa steiner
    suzuki tanaka taylor thomas torres tran vargas vega vogel wagner walter weber weiss werner
    winkler wolf yamada yildiz yilmaz young zimmermann
"""
_INTERESTS = """
    art berlin bcn books bikes cooks design diy draws farm fit films fotos garden goods hh ink
    istanbul jpg lab lifts london makes moves music ny official ootd outdoors paints pics plants
    prints raw reads reisen rides runs sews sings studio surf tattoo tokyo travels vegan vienna
    vintage vlog wien works writes yoga zh
"""

FIRST = tuple(_FIRST.split())
LAST = tuple(_LAST.split())
SEPARATORS = (".", "_", "", "__")
SUFFIXES = (
    "",
    "_",
    *(str(number) for number in range(1, 100)),
    *(str(year) for year in range(1968, 2013)),
    *(f"_{number:02}" for number in range(100)),
    *(f"{mark}{word}" for mark in "._" for word in _INTERESTS.split()),
)
